import { problem, type Route, route } from '@tailwater/http'
import type { Messaging } from '@tailwater/messaging'
import { Type } from 'typebox'
import { reading } from '../../change.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { letterChangeRoutes } from './letter_changes.ts'
import { letterRoutes } from './letters.ts'
import { ExchangeLine, SubscriptionLine, SubscriptionName, subscriptionLine } from './message_schemas.ts'

const tags = ['messaging']

/** Exchanges, subscriptions and dead letters: what there is, and what can be done about it. */
export function messagingRoutes(desk: Desk, messaging: Messaging): Route[] {
  return [
    exchangesRoute(desk, messaging),
    subscriptionsRoute(desk, messaging),
    subscriptionRoute(desk, messaging),
    ...letterRoutes(desk, messaging),
    ...letterChangeRoutes(desk, messaging),
  ]
}

function hereOf(messaging: Messaging, name: string) {
  return messaging.status.subscriptions.find((one) => one.name === name)
}

function exchangesRoute(desk: Desk, messaging: Messaging): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/exchanges`,
    id: 'exchanges',
    summary: 'All exchanges',
    tags,
    security: SECURITY,
    schema: { response: { 200: Type.Object({ data: Type.Array(ExchangeLine) }) } },
    use: reading(desk),
    async handler() {
      const exchanges = await messaging.inspect.exchanges()
      return { data: exchanges.map(({ name, type }) => ({ name, type })) }
    },
  })
}

function subscriptionsRoute(desk: Desk, messaging: Messaging): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/subscriptions`,
    id: 'subscriptions',
    summary: 'All durable subscriptions, and how they do',
    tags,
    security: SECURITY,
    schema: { response: { 200: Type.Object({ data: Type.Array(SubscriptionLine) }) } },
    use: reading(desk),
    async handler() {
      const states = await messaging.inspect.subscriptions()
      return { data: states.map((state) => subscriptionLine(state, hereOf(messaging, state.name))) }
    },
  })
}

function subscriptionRoute(desk: Desk, messaging: Messaging): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/subscriptions/:subscription`,
    id: 'subscription',
    summary: 'One subscription, and how it does',
    tags,
    security: SECURITY,
    schema: { params: Type.Object({ subscription: SubscriptionName }), response: { 200: SubscriptionLine } },
    use: reading(desk),
    async handler({ params: { subscription } }) {
      const state = await messaging.inspect.subscription(subscription)
      if (!state) throw problem(404, 'E_SUBSCRIPTION_UNKNOWN', `There is no subscription '${subscription}'.`)
      return subscriptionLine(state, hereOf(messaging, subscription))
    },
  })
}

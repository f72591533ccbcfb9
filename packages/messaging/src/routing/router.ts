import { nearestName } from '@tailwater/core'
import type { Binding, ExchangeType, SubscriptionSpec } from '../backend/topology_port.ts'
import { messagingError } from '../errors.ts'
import { matchesPattern } from './pattern.ts'
import type { RoutingTable } from './routing_table.ts'

/** Where a topic goes. */
export interface Route {
  readonly subscriptions: readonly SubscriptionSpec[]
  /** Somebody listens to it without a queue. */
  readonly isHeard: boolean
}

/** Routes that are remembered; topics with ids in them must not fill the memory. */
const MAX_ROUTES = 10_000

/** Answers where messages go, by one table. */
export interface Router {
  readonly table: RoutingTable
  /** @throws E_MESSAGE_EXCHANGE_UNKNOWN */
  route(exchange: string, topic: string): Route
}

/** Compiles a table. */
export function createRouter(table: RoutingTable): Router {
  const types = new Map(table.exchanges.map(({ name, type }) => [name, type]))
  const targets = new Map<string, { subscription?: SubscriptionSpec; fits: (topic: string) => boolean }[]>()
  const add = (bindings: readonly Binding[], subscription?: SubscriptionSpec) => {
    for (const { exchange, pattern } of bindings) {
      const type = types.get(exchange)
      if (type === undefined) continue
      const list = targets.get(exchange) ?? []
      list.push({ ...(subscription && { subscription }), fits: matcherOf(type, pattern) })
      targets.set(exchange, list)
    }
  }
  for (const subscription of table.subscriptions) add(subscription.bindings, subscription)
  for (const { bindings } of table.listeners) add(bindings)
  const routes = new Map<string, Route>()

  function find(exchange: string, topic: string): Route {
    const subscriptions = new Set<SubscriptionSpec>()
    let isHeard = false
    for (const { subscription, fits } of targets.get(exchange) ?? []) {
      if (subscription ? subscriptions.has(subscription) : isHeard) continue
      if (!fits(topic)) continue
      if (subscription) subscriptions.add(subscription)
      else isHeard = true
    }
    return { subscriptions: [...subscriptions], isHeard }
  }

  return {
    table,
    route(exchange, topic) {
      if (!types.has(exchange)) throw unknownExchange(exchange, [...types.keys()])
      const key = `${exchange}\n${topic}`
      const known = routes.get(key)
      if (known) return known
      if (routes.size >= MAX_ROUTES) routes.clear()
      const route = find(exchange, topic)
      routes.set(key, route)
      return route
    },
  }
}

/** What compares topics with a binding of an exchange. */
export function matcherOf(type: ExchangeType, pattern: string): (topic: string) => boolean {
  if (type === 'fanout') return () => true
  if (type === 'direct' || !/[*#]/.test(pattern)) return (topic) => topic === pattern
  if (pattern === '#') return () => true
  const words = pattern.split('.')
  return (topic) => matchesPattern(words, topic.split('.'))
}

/** The error of an exchange that nobody declared. */
export function unknownExchange(exchange: string, known: readonly string[]): Error {
  const nearest = nearestName(exchange, known)
  const hint = nearest ? `did you mean '${nearest}'?` : known.length === 0 ? 'none is declared' : 'declare it first'
  return messagingError('E_MESSAGE_EXCHANGE_UNKNOWN', `there is no exchange '${exchange}': ${hint}`, {
    exchange,
    suggestion: nearest,
  })
}

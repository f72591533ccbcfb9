import { problem, type Route, route, Text } from '@tailwater/http'
import type { DeadLetter, Messaging } from '@tailwater/messaging'
import { Type } from 'typebox'
import { reading } from '../../change.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { LetterLine, LetterList, letterLine, SubscriptionName } from './message_schemas.ts'

const tags = ['messaging']

/** The path's parts that name a subscription, and a letter of it. A subscription that is gone may have letters still. */
export const lettersParams = Type.Object({ subscription: SubscriptionName })
export const letterParams = Type.Object({ subscription: SubscriptionName, id: Text(255) })

/** @throws HttpProblem 404 E_LETTER_NOT_FOUND */
export async function existingLetter(messaging: Messaging, subscription: string, id: string): Promise<DeadLetter> {
  const letter = await messaging.deadLetters.get(subscription, id)
  if (letter) return letter
  throw problem(404, 'E_LETTER_NOT_FOUND', `There is no dead letter ${id} of '${subscription}'.`)
}

/** Dead letters of a subscription, and one of them. */
export function letterRoutes(desk: Desk, messaging: Messaging): Route[] {
  return [listRoute(desk, messaging), letterRoute(desk, messaging)]
}

const query = Type.Object({
  cursor: Type.Optional(Text(300, 1, { description: '`page.next` of another page.' })),
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Letters of a page.' }),
})

function listRoute(desk: Desk, messaging: Messaging): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/subscriptions/:subscription/dead-letters`,
    id: 'deadLetters',
    summary: 'Dead letters of a subscription',
    tags,
    security: SECURITY,
    schema: { params: lettersParams, query, response: { 200: LetterList } },
    use: reading(desk),
    async handler({ params: { subscription }, query: { cursor, limit } }) {
      const options = { limit, ...(cursor !== undefined && { cursor }) }
      const page = await messaging.deadLetters.list(subscription, options)
      const data = page.letters.map((letter) => letterLine(messaging.deadLetters.show(letter)))
      return { data, page: { next: page.cursor ?? null, limit } }
    },
  })
}

function letterRoute(desk: Desk, messaging: Messaging): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/subscriptions/:subscription/dead-letters/:id`,
    id: 'deadLetter',
    summary: 'One dead letter, with what was tried',
    tags,
    security: SECURITY,
    schema: { params: letterParams, response: { 200: LetterLine } },
    use: reading(desk),
    async handler({ params: { subscription, id } }) {
      return letterLine(messaging.deadLetters.show(await existingLetter(messaging, subscription, id)))
    },
  })
}

import { noContent, type Route, route, Text } from '@tailwater/http'
import type { Messaging } from '@tailwater/messaging'
import { Type } from 'typebox'
import { changing, tellChange } from '../../change.ts'
import { asked, invalid } from '../../refusal.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { existingLetter, letterParams, lettersParams } from './letters.ts'
import { LetterCount } from './message_schemas.ts'

const tags = ['messaging']

/** What is done with dead letters. */
export function letterChangeRoutes(desk: Desk, messaging: Messaging): Route[] {
  const { redrive, purge } = messaging.deadLetters
  return [
    massRoute(desk, 'redrive', 'Put dead letters back, as if they had never been tried', redrive),
    massRoute(desk, 'purge', 'Delete dead letters', purge),
    redriveOneRoute(desk, messaging),
  ]
}

const Chosen = Type.Object({
  ids: Type.Optional(Type.Array(Text(255), { minItems: 1, maxItems: 1_000, description: 'Without them: all.' })),
})

function massRoute(
  desk: Desk,
  verb: 'redrive' | 'purge',
  summary: string,
  work: (subscription: string, ids?: readonly string[]) => Promise<number>,
): Route {
  const id = verb === 'redrive' ? 'deadLettersRedrive' : 'deadLettersPurge'
  return route({
    method: 'POST',
    path: `${desk.mount}/api/subscriptions/:subscription/dead-letters/${verb}`,
    id,
    summary,
    tags,
    security: SECURITY,
    schema: { params: lettersParams, body: Chosen, response: { 200: LetterCount } },
    use: changing(desk),
    async handler({ params: { subscription }, body: { ids }, exchange }) {
      const count = await work(subscription, ids)
      tellChange(exchange, id, subscription, { count, ...(ids && { ids: ids.slice(0, 10) }) })
      return { count }
    },
  })
}

const Edit = Type.Object({
  body: Type.Optional(Type.Unknown({ description: 'Replaces the whole body.' })),
  headers: Type.Optional(Type.Record(Type.String(), Type.String())),
})

function redriveOneRoute(desk: Desk, messaging: Messaging): Route {
  return route({
    method: 'POST',
    path: `${desk.mount}/api/subscriptions/:subscription/dead-letters/:id/redrive`,
    id: 'deadLetterRedrive',
    summary: 'Put one dead letter back, with another body if one is given',
    tags,
    security: SECURITY,
    schema: { params: letterParams, body: Edit, response: { 204: undefined } },
    use: changing(desk),
    async handler({ params: { subscription, id }, body: { body, headers }, exchange }) {
      await existingLetter(messaging, subscription, id)
      if (headers !== undefined && body === undefined)
        throw invalid('/body/body', 'is needed where headers are replaced')
      if (holdsHidden(body)) throw invalid('/body/body', 'holds what stands in for hidden data: it would replace it')
      if (body === undefined) await messaging.deadLetters.redrive(subscription, [id])
      else
        await asked(() => messaging.deadLetters.redriveEdited(subscription, id, { body, ...(headers && { headers }) }))
      tellChange(exchange, 'deadLetterRedrive', `${subscription}/${id}`, { isEdited: body !== undefined })
      return noContent()
    },
  })
}

/** Whether a body was copied from what people are shown. */
function holdsHidden(value: unknown): boolean {
  if (value === '[redacted]') return true
  return value !== null && typeof value === 'object' && Object.values(value).some(holdsHidden)
}

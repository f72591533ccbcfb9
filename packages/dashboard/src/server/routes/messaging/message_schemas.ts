import { Nullable, OneOf } from '@tailwater/http'
import type { LetterView, SubscriptionState } from '@tailwater/messaging'
import { Type } from 'typebox'

const count = Type.Integer({ minimum: 0 })
const moment = Type.Number({ description: 'Milliseconds since the Unix epoch.' })

/** What a subscription may be called: those that answer requests have the request's topic in their names. */
export const SubscriptionName = Type.String({ pattern: '^[^\\s\\u0000-\\u001f]{1,300}$', examples: ['billing'] })

/** An exchange. */
export const ExchangeLine = Type.Object({ name: Type.String(), type: OneOf(['topic', 'direct', 'fanout']) })

/** A subscription and how it does, in the store and in the process that answers. */
export const SubscriptionLine = Type.Object({
  name: Type.String(),
  bindings: Type.Array(Type.Object({ exchange: Type.String(), pattern: Type.String() })),
  waiting: count,
  unsettled: Nullable(Type.Integer({ description: 'Given to consumers and not settled.' })),
  consumers: Nullable(count),
  dead: count,
  rates: Type.Object({ in: Nullable(Type.Number()), out: Nullable(Type.Number()) }, { description: 'A second.' }),
  oldest: Nullable(Type.Number({ description: 'Milliseconds for which the oldest message has waited.' })),
  here: Nullable(
    Type.Object(
      {
        running: count,
        concurrency: count,
        held: count,
        pausedBy: Type.Array(OneOf(['breaker', 'caller'])),
      },
      { description: 'What the process that answers does; null if it does not serve it.' },
    ),
  ),
})

/** A dead letter. */
export const LetterLine = Type.Object({
  id: Type.String(),
  subscription: Type.String(),
  messageId: Type.String(),
  exchange: Type.String(),
  topic: Type.String(),
  level: Type.String(),
  contentType: Type.String(),
  headers: Type.Unknown(),
  body: Type.Unknown({ description: 'Without what is to be hidden.' }),
  reason: OneOf(['attempts', 'permanent', 'invalid', 'expired', 'poison', 'foreign']),
  notes: Type.Array(
    Type.Object({
      attempt: Type.Integer(),
      at: moment,
      error: Type.String(),
      code: Nullable(Type.String()),
      stack: Nullable(Type.String()),
    }),
  ),
  publishedAt: Nullable(moment),
  diedAt: Nullable(moment),
  requestId: Nullable(Type.String()),
})

/** A page of dead letters. */
export const LetterList = Type.Object({
  data: Type.Array(LetterLine),
  page: Type.Object({
    next: Nullable(Type.String({ description: 'Cursor of the next page.' })),
    limit: Type.Integer(),
  }),
})

/** How many letters a call has dealt with. */
export const LetterCount = Type.Object({ count })

/** A letter as JSON, which has no undefined. */
export function letterLine(view: LetterView) {
  return {
    ...view,
    headers: view.headers ?? null,
    body: view.body ?? null,
    notes: view.notes.map(({ attempt, at, error, code, stack }) => ({
      attempt,
      at,
      error,
      code: code ?? null,
      stack: stack ?? null,
    })),
    publishedAt: view.publishedAt ?? null,
    diedAt: view.diedAt ?? null,
    requestId: view.requestId ?? null,
  }
}

/** What a process does with a subscription. */
interface Here {
  readonly name: string
  readonly running: number
  readonly concurrency: number
  readonly held: number
  readonly pausedBy: readonly ('breaker' | 'caller')[]
}

/** A subscription as JSON. @param here what this process does with it */
export function subscriptionLine(state: SubscriptionState, here: Here | undefined) {
  const { unsettled, consumers, rates, oldest, bindings, ...rest } = state
  return {
    ...rest,
    bindings: bindings.map(({ exchange, pattern }) => ({ exchange, pattern })),
    unsettled: unsettled ?? null,
    consumers: consumers ?? null,
    rates: { in: rates.in ?? null, out: rates.out ?? null },
    oldest: oldest ?? null,
    here: here
      ? { running: here.running, concurrency: here.concurrency, held: here.held, pausedBy: [...here.pausedBy] }
      : null,
  }
}

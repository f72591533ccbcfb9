import type { Reply } from '../exchange.ts'
import { faultReply } from '../fault.ts'
import type { Middleware } from '../middleware.ts'
import type { LiveExchange } from './live_exchange.ts'
import { sentBody } from './sent_body.ts'

/** A value now or later. Hooks mostly answer at once, and then nothing is awaited: a promise costs more than most hooks. */
export type Eventually<T> = T | Promise<T>

/** Whether something has to be awaited. */
export function isPromise<T>(value: Eventually<T>): value is Promise<T> {
  return value !== null && typeof value === 'object' && typeof (value as Promise<T>).then === 'function'
}

/** Runs the `before` hooks in order until one replies; whatever one throws becomes its reply. */
export function runBefore(
  exchange: LiveExchange,
  list: readonly Middleware[],
  from = 0,
): Eventually<Reply | undefined> {
  for (let i = from; i < list.length; i++) {
    const step = list[i]!
    exchange.reached.push(step)
    if (!step.before) continue
    let early: ReturnType<NonNullable<Middleware['before']>>
    try {
      early = step.before(exchange)
    } catch (error) {
      return faultReply(error, exchange)
    }
    if (isPromise(early))
      return early.then(
        (reply) => reply ?? runBefore(exchange, list, i + 1),
        (error: unknown) => faultReply(error, exchange),
      )
    if (early) return early
  }
  return undefined
}

/**
 * Runs the `after` hooks of all middleware reached, the last first, and completes the reply with what they and the
 * exchange add to its headers. Only the first call for an exchange does so.
 */
export function runAfter(exchange: LiveExchange, reply: Reply, from?: number): Eventually<Reply> {
  const { reached } = exchange
  if (from === undefined) {
    if (exchange.concluded) return reply
    exchange.concluded = true
  }
  let current = reply
  for (let i = from ?? reached.length - 1; i >= 0; i--) {
    const step = reached[i]!
    if (!step.after) continue
    try {
      const next = step.after(exchange, current)
      if (isPromise(next))
        return next.then(
          (replaced) => runAfter(exchange, replaced, i - 1),
          (error: unknown) => runAfter(exchange, faultReply(error, exchange), i - 1),
        )
      current = next
    } catch (error) {
      current = faultReply(error, exchange)
    }
  }
  return complete(exchange, current)
}

/** Headers that several may add to; of every other header the reply's own value wins. */
const COMBINED: Record<string, ((own: string | string[], added: string | string[]) => string | string[]) | undefined> =
  {
    'set-cookie': (own, added) => [own, added].flat(),
    vary: (own, added) => uniqueWords([own, added].flat()),
    link: (own, added) => [own, added].flat().join(', '),
  }

/** Adds the exchange's headers to a reply that no `after` hook will see any more, and fixes what of its body is sent. */
export function complete(exchange: LiveExchange, reply: Reply): Reply {
  // A copy: a cached reply is sent many times, and must not gather one request's headers for the next.
  const headers = { ...reply.headers }
  const added = exchange.replyHeaders
  for (const name in added) {
    const own = headers[name]
    const combine = own === undefined ? undefined : COMBINED[name]
    if (own === undefined) headers[name] = added[name]!
    else if (combine) headers[name] = combine(own, added[name]!)
  }
  headers['x-request-id'] = exchange.context.requestId
  if (exchange.host.closing?.aborted) headers['connection'] = 'close'
  return { status: reply.status, headers, body: sentBody(exchange, reply.status, headers, reply.body) }
}

function uniqueWords(lists: string[]): string {
  const words = new Map(
    lists.flatMap((list) => list.split(',')).map((word) => [word.trim().toLowerCase(), word.trim()]),
  )
  return [...words.values()].filter(Boolean).join(', ')
}

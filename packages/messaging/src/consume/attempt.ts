import {
  type Clock,
  type Duration,
  messageDead,
  messageHandled,
  parseDuration,
  runInContext,
  toError,
} from '@tailwater/core'
import type { StandardSchema, Waiting } from '@tailwater/jobs'
import type { DeathReason, Delivery, Settlement } from '../backend/consume_port.ts'
import { messagingError } from '../errors.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { type AttemptNote, attemptsSoFar } from '../message.ts'
import { isBreakerOpen } from '../policy/fault.ts'
import { checkBody, decodeBody } from '../publish/body.ts'
import { Received, type ReceivedMessage } from './received_message.ts'

/** What handles messages. */
export type MessageHandler<Body = unknown> = (message: ReceivedMessage<Body>) => Promise<unknown> | unknown

/** How attempts of one subscription are made. */
export interface AttemptParts {
  readonly subscription: string
  readonly clock: Clock
  readonly handler: MessageHandler
  readonly schemaOf: (exchange: string, topic: string) => StandardSchema | undefined
  readonly attempts: number
  readonly waiting: Waiting
  /** Milliseconds. */
  readonly timeout: number
  readonly inbox: Inbox
  /** What an open breaker stopped is given back, uncounted, because its consumer pauses. */
  readonly isPausedByBreaker: boolean
}

/** Milliseconds that a handler has to stop when it was told to, before its message goes on without it. */
const GRACE: Duration = '5s'
/** Milliseconds before the next attempt when the backoff fails itself. */
const FALLBACK = 60_000

type Outcome = Settlement & { readonly error?: Error; readonly isExpired?: boolean }

/** Makes one attempt at a message, and settles it. Resolves when the handler is done; what the store says to the settlement is told as an event. */
export async function attempt(parts: AttemptParts, delivery: Delivery): Promise<void> {
  const startedAt = parts.clock.elapsed()
  const waitMs = delivery.availableAt === undefined ? undefined : Math.max(0, parts.clock.now() - delivery.availableAt)
  const outcome = expiry(parts, delivery) ?? (await run(parts, delivery))
  const ms = parts.clock.elapsed() - startedAt
  const told = delivery.settle(settlementOf(outcome)).then(
    () => publish(parts, delivery, outcome, waitMs, ms),
    (error) => publishLost(parts, delivery, waitMs, ms, toError(error)),
  )
  void told
}

/** What nobody wants any more. One that was tried before leaves a trace. */
function expiry({ clock }: AttemptParts, { message, notes }: Delivery): Outcome | undefined {
  if (message.expiresAt === undefined || message.expiresAt > clock.now()) return undefined
  if (notes.length === 0) return { type: 'done', isExpired: true }
  return { type: 'dead', reason: 'expired', note: undefined }
}

async function run(parts: AttemptParts, delivery: Delivery): Promise<Outcome> {
  let received: Received
  try {
    received = await receive(parts, delivery)
  } catch (thrown) {
    const error = toError(thrown)
    return {
      type: 'dead',
      reason: isForeign(delivery) ? 'foreign' : 'invalid',
      note: noteOf(parts, delivery, error),
      error,
    }
  }
  const { id, requestId = id, traceparent } = delivery.message
  const context = traceparent === undefined ? { requestId } : { requestId, traceparent }
  try {
    const result = runInContext(context, () => parts.handler(received))
    if (isThenable(result)) await inTime(parts, received, result)
    return { type: 'done' }
  } catch (thrown) {
    return failure(parts, delivery, toError(thrown ?? new Error('the handler threw nothing')))
  }
}

async function receive(parts: AttemptParts, delivery: Delivery): Promise<Received> {
  const { message } = delivery
  const schema = parts.schemaOf(message.exchange, message.topic)
  const decoded = decodeBody(message)
  const body = schema ? await checkBody(schema, `'${message.topic}'`, decoded) : decoded
  const { subscription, attempts: maxAttempts, inbox } = parts
  return new Received({ delivery, subscription, body, maxAttempts, inbox })
}

/** Somebody else's program put it there: it does not say when. */
const isForeign = ({ message }: Delivery) => message.publishedAt === undefined

/** Waits for the handler until its time is over and it had a while to notice. A handler that never settles must not keep its place. */
function inTime({ clock, timeout }: AttemptParts, received: Received, result: PromiseLike<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    let reason: Error | undefined
    let cancel = clock.after(timeout, () => {
      reason = messagingError('E_MESSAGE_TIMEOUT', `the attempt took longer than ${timeout} ms`)
      received.abort(reason)
      cancel = clock.after(parseDuration(GRACE), () => reject(reason))
    })
    result.then(
      () => {
        cancel()
        resolve()
      },
      (error) => {
        cancel()
        reject(reason ?? error)
      },
    )
  })
}

function failure(parts: AttemptParts, delivery: Delivery, error: Error): Outcome {
  if (parts.isPausedByBreaker && isBreakerOpen(error)) return { type: 'released', error }
  const note = noteOf(parts, delivery, error)
  if ((error as { retryable?: unknown }).retryable === false) return { type: 'dead', reason: 'permanent', note, error }
  if (note.attempt >= parts.attempts) return { type: 'dead', reason: 'attempts', note, error }
  return { type: 'retry', after: waitOf(parts, note.attempt, error), note, error }
}

function waitOf({ waiting }: AttemptParts, number: number, error: Error): number {
  try {
    return waiting(number, error)
  } catch {
    return FALLBACK
  }
}

function noteOf({ clock }: AttemptParts, { notes }: Delivery, error: Error): AttemptNote {
  const code: unknown = (error as { code?: unknown }).code
  return {
    attempt: attemptsSoFar(notes) + 1,
    at: clock.now(),
    error: error.message,
    ...(typeof code === 'string' && { code }),
    ...(error.stack !== undefined && { stack: error.stack }),
  }
}

function settlementOf(outcome: Outcome): Settlement {
  switch (outcome.type) {
    case 'retry':
      return { type: 'retry', after: outcome.after, note: outcome.note }
    case 'dead':
      return { type: 'dead', reason: outcome.reason, note: outcome.note }
    default:
      return { type: outcome.type }
  }
}

function publish(
  parts: AttemptParts,
  delivery: Delivery,
  outcome: Outcome,
  waitMs: number | undefined,
  ms: number,
): void {
  const type = outcome.isExpired ? 'expired' : outcome.type
  publishHandled(parts, delivery, type, waitMs, ms, outcome.error)
  if (outcome.type === 'dead') publishDead(parts.subscription, delivery, outcome.reason, outcome.error)
}

function publishDead(subscription: string, { message }: Delivery, reason: DeathReason, error: Error | undefined): void {
  if (!messageDead.hasSubscribers) return
  const { requestId, exchange, topic, id: messageId } = message
  messageDead.publish({ requestId, subscription, exchange, topic, messageId, reason, error })
}

function publishLost(
  parts: AttemptParts,
  delivery: Delivery,
  waitMs: number | undefined,
  ms: number,
  error: Error,
): void {
  publishHandled(parts, delivery, 'lost', waitMs, ms, error)
}

function publishHandled(
  { subscription }: AttemptParts,
  { message, notes }: Delivery,
  outcome: 'done' | 'retry' | 'dead' | 'expired' | 'released' | 'lost',
  waitMs: number | undefined,
  ms: number,
  error: Error | undefined,
): void {
  if (!messageHandled.hasSubscribers) return
  const { requestId, exchange, topic, id: messageId, traceparent } = message
  const attempt = attemptsSoFar(notes) + 1
  messageHandled.publish({
    requestId,
    subscription,
    exchange,
    topic,
    messageId,
    attempt,
    outcome,
    waitMs,
    ms,
    error,
    traceparent,
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === 'object' && typeof (value as { then?: unknown }).then === 'function'
}

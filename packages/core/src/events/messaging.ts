import { eventChannel } from '../channel.ts'

/** A message published. */
export interface MessagePublishedEvent {
  /** Of the publisher's context. */
  requestId: string | undefined
  exchange: string
  topic: string
  messageId: string
  /** `confirmed`: it is kept; `unroutable`: no binding matched; `failed`: see `error`, it may or may not have arrived. */
  outcome: 'confirmed' | 'unroutable' | 'failed'
  /** Milliseconds until the confirmation. */
  ms: number
  error: Error | undefined
  traceparent?: string | undefined
}

/** Every message, when it is known what became of it; in a transaction, when the relay has published it. */
export const messagePublished = eventChannel<MessagePublishedEvent>('tailwater:messaging:published')

/** One delivery. */
export interface MessageHandledEvent {
  /** Of the publisher's context, so that one id runs through. */
  requestId: string | undefined
  subscription: string
  exchange: string
  topic: string
  messageId: string
  /** 1 for the first. */
  attempt: number
  /** `lost`: the store took it back before it was settled, and gives it again. */
  outcome: 'done' | 'retry' | 'dead' | 'expired' | 'released' | 'lost'
  /** Milliseconds from when it could be given to the begin of the handler; undefined where the store does not tell. */
  waitMs: number | undefined
  /** Milliseconds of the handler. */
  ms: number
  error: Error | undefined
  traceparent?: string | undefined
}

/** Every delivery, when the store has accepted its end. */
export const messageHandled = eventChannel<MessageHandledEvent>('tailwater:messaging:handled')

/** A message that was given up. */
export interface MessageDeadEvent {
  requestId: string | undefined
  subscription: string
  exchange: string
  topic: string
  messageId: string
  reason: 'attempts' | 'permanent' | 'invalid' | 'expired' | 'poison' | 'foreign'
  error: Error | undefined
}

/** Every dead letter that a consumer of this process made. */
export const messageDead = eventChannel<MessageDeadEvent>('tailwater:messaging:dead')

/** A request, as the one who asks sees it. */
export interface MessageRequestEvent {
  requestId: string | undefined
  topic: string
  correlationId: string
  outcome: 'answered' | 'failed' | 'timeout' | 'cancelled'
  /** How many came. */
  replies: number
  ms: number
  error: Error | undefined
}

/** Every request, at its end. */
export const messageRequest = eventChannel<MessageRequestEvent>('tailwater:messaging:request')

/** A breaker that changed. */
export interface MessageBreakerEvent {
  policy: string
  state: 'closed' | 'open' | 'half-open'
  /** Of the call that opened it. */
  error: Error | undefined
}

/** Every change of a policy's breaker. */
export const messageBreaker = eventChannel<MessageBreakerEvent>('tailwater:messaging:breaker')

/** A consumer that changed. */
export interface MessageConsumerEvent {
  subscription: string
  change: 'paused' | 'resumed' | 'scaled'
  /** Handlers that may run at once, from now on. */
  concurrency: number
  cause: 'breaker' | 'caller' | 'load'
}

/** Every change of a consumer of this process. */
export const messageConsumer = eventChannel<MessageConsumerEvent>('tailwater:messaging:consumer')

/** The levels of importance, the most important first. */
export const levels = ['critical', 'high', 'normal', 'low'] as const

/** How important a message is: what waits in a higher level is handled more often, and never instead of everything below it. */
export type Level = (typeof levels)[number]

/** A message on its way: plain data. */
export interface Message {
  /** Unique; a message published again after a lost confirmation keeps it, so that a receiver can tell. */
  readonly id: string
  /** '' for one that was put straight into a queue by somebody else's program. */
  readonly exchange: string
  /** Words joined by dots: `order.placed`. What bindings are matched against. */
  readonly topic: string
  /** Encoded: text for JSON, bytes for anything else. */
  readonly body: string | Uint8Array
  /** Of the body, such as `application/json`. */
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  readonly level: Level
  /** By the publisher's clock, in milliseconds since the Unix epoch; undefined for foreign messages that do not say. */
  readonly publishedAt: number | undefined
  /** The moment, in milliseconds since the Unix epoch, from which nobody wants it any more. */
  readonly expiresAt?: number | undefined
  /** W3C trace context of the publisher. */
  readonly traceparent?: string | undefined
  readonly requestId?: string | undefined
  /** Of a request: where its replies go, as `ReplyPort.address` of the one who asks. */
  readonly replyTo?: string | undefined
  /** Of a request: what its replies carry, too. */
  readonly correlationId?: string | undefined
}

/** One failed attempt at a message. */
export interface AttemptNote {
  /** From 1. */
  attempt: number
  /** By the consumer's clock, in milliseconds since the Unix epoch. */
  at: number
  error: string
  code?: string | undefined
  stack?: string | undefined
}

/** How often a message was tried: what the last note says, since of many notes only the newest travel with it. */
export const attemptsSoFar = (notes: readonly AttemptNote[]): number => notes.at(-1)?.attempt ?? 0

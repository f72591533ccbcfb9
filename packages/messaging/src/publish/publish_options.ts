import {
  boolean,
  type Clock,
  currentContext,
  type Duration,
  duration,
  type Fields,
  type IdSource,
  oneOf,
  optional,
  optionsError,
  resolveOptions,
  value,
} from '@tailwater/core'
import type { SqlExecutor } from '@tailwater/postgres'
import type { Outgoing } from '../backend/publish_port.ts'
import { type Level, levels } from '../message.ts'
import type { EncodedBody } from './body.ts'

/** How one message is published. */
export interface PublishOptions {
  /** The caller's transaction: the message goes out if and when it commits. Needs an `outbox`. */
  tx?: SqlExecutor
  /** Nobody is given it before. */
  delay?: Duration
  /** A moment: a Date or milliseconds since the Unix epoch. */
  deliverAt?: Date | number
  /** After this time, counted from when it could be given, nobody wants it any more. */
  ttl?: Duration
  /** @default 'normal' */
  level?: Level
  headers?: Readonly<Record<string, string>>
  /** Unique; the same id published again may be kept once or twice, and is one message to an inbox. @default a new one */
  id?: string
  /** Refuses a message that no subscription is bound to. @default true */
  mandatory?: boolean
  /** Stops waiting; the message may be published all the same. */
  signal?: AbortSignal
}

/** Bytes of a message's headers, and of the name of one: what every carrier takes, with room for what is added to a message that failed. */
const MOST_HEADERS = 32_000
const LONGEST_NAME = 255

function isHeaders(given: unknown): boolean {
  if (typeof given !== 'object' || given === null) return false
  let bytes = 0
  for (const [name, text] of Object.entries(given)) {
    if (typeof text !== 'string' || Buffer.byteLength(name) > LONGEST_NAME) return false
    bytes += Buffer.byteLength(name) + Buffer.byteLength(text)
  }
  return bytes <= MOST_HEADERS
}

const isId = (given: unknown) =>
  typeof given === 'string' && given !== '' && Buffer.byteLength(given) <= LONGEST_NAME && !given.includes('\0')

const fields = {
  tx: optional(
    value<SqlExecutor>('a transaction', (given) => typeof (given as SqlExecutor | null)?.query === 'function'),
  ),
  delay: optional(duration()),
  deliverAt: optional(
    value<Date | number>('a Date, or milliseconds since the Unix epoch', (given) =>
      Number.isFinite(given instanceof Date ? given.getTime() : given),
    ),
  ),
  ttl: optional(duration({ min: 1 })),
  level: oneOf(levels, { default: 'normal' }),
  headers: optional(
    value<Readonly<Record<string, string>>>('an object of texts, of at most 32 kB and 255 bytes a name', isHeaders),
  ),
  id: optional(value<string>('a text of 1 to 255 bytes', isId)),
  mandatory: boolean({ default: true }),
  signal: optional(value<AbortSignal>('an AbortSignal', (given) => given instanceof AbortSignal)),
} satisfies Fields

/** Options of one message, checked. */
export type ResolvedPublish = ReturnType<typeof resolvePublishOptions>

const none = resolveOptions('publish', {}, fields)

/** @throws E_OPTIONS */
export function resolvePublishOptions(given: PublishOptions | undefined) {
  if (given === undefined) return none
  const options = resolveOptions('publish', given, fields)
  if (options.delay !== undefined && options.deliverAt !== undefined)
    throw optionsError('publish.delay', 'left out, because there is a deliverAt', options.delay)
  return options
}

/** A message of the caller's context. */
export function outgoingOf(
  exchange: string,
  topic: string,
  body: EncodedBody,
  options: ResolvedPublish,
  { clock, ids }: { clock: Clock; ids: IdSource },
): Outgoing {
  const { delay, ttl, level, headers = {}, id } = options
  const now = clock.now()
  const said = options.deliverAt
  const deliverAt = delay !== undefined ? now + delay : said instanceof Date ? said.getTime() : said
  const context = currentContext()
  return {
    message: {
      id: id ?? ids(),
      exchange,
      topic,
      ...body,
      headers,
      level,
      publishedAt: now,
      ...(ttl !== undefined && { expiresAt: Math.max(now, deliverAt ?? now) + ttl }),
      ...(context?.traceparent !== undefined && { traceparent: context.traceparent }),
      ...(context?.requestId !== undefined && { requestId: context.requestId }),
    },
    deliverAt,
  }
}

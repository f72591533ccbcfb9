import type { IdSource } from '@tailwater/core'
import type { MessageProperties, Options } from 'amqplib'
import type { DeathReason } from '../../backend/consume_port.ts'
import { type AttemptNote, type Level, levels, type Message } from '../../message.ts'
import type { Names } from './names.ts'

/*
 * How a message looks on the wire: what AMQP has a property for is that property, the user's headers are headers, and what is left is a
 * header of ours. Exchange and topic are told only when the message does not travel by them: waiting, tried again, or dead.
 */

/** Begins our headers; the user's own cannot. Not `x-`, which exchanges that route by headers pass over. */
const OURS = 'tw-'
/** The header by which levels are parted. */
export const LEVEL_HEADER = 'tw-level'

const TRACE = 'traceparent'

/** Bytes of notes that travel with a message. The headers must fit into one frame, and clients have narrower limits: amqplib takes 64 kB. */
const NOTES_LIMIT = 24_000
/** Bytes of a user's headers and of the notes, together; what is left of a frame's 64 kB is for our other headers. */
const HEADERS_LIMIT = 60_000
/** Bytes that notes have in any case: one without its stack, however its texts are written. */
const LEAST_NOTES = 8_000
/** Characters of one stack, and of an error or its code where there is little room. */
const STACK_LIMIT = 4_000
const TEXT_LIMIT = 1_000

/** What travels with a message beside what the user says. */
export interface Extras {
  /** Tells exchange and topic in headers. */
  readonly hasLeftItsWay?: boolean | undefined
  readonly notes?: readonly AttemptNote[] | undefined
  /** The queue that gets the message when it has waited; without it, its exchange. */
  readonly target?: string | undefined
  /** Milliseconds that are still to be waited when the longest possible wait is over. */
  readonly rest?: number | undefined
  readonly letter?: { id: string; reason: DeathReason; diedAt: number } | undefined
}

/** A body as bytes. */
export function contentOf({ body }: Pick<Message, 'body'>): Buffer {
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}

/** A message's properties on the wire. */
export function toProperties(message: Message, extras: Extras = {}): Options.Publish {
  const headers: Record<string, unknown> = {}
  for (const name in message.headers) if (!name.startsWith(OURS)) headers[name] = message.headers[name]
  if (message.level !== 'normal') headers[LEVEL_HEADER] = message.level
  // A whole number of this size would be written and read by way of a BigInt.
  if (message.publishedAt !== undefined) headers['tw-at'] = { '!': 'double', value: message.publishedAt }
  if (message.expiresAt !== undefined) headers['tw-expires'] = message.expiresAt
  if (message.traceparent !== undefined) headers[TRACE] = message.traceparent
  if (message.requestId !== undefined) headers['tw-request'] = message.requestId
  if (typeof message.body !== 'string' && isText(message.contentType)) headers['tw-bytes'] = true
  if (extras !== NONE) addExtras(headers, message, extras)
  const properties: Options.Publish = {
    messageId: message.id,
    contentType: message.contentType,
    headers,
    persistent: true,
    mandatory: true,
  }
  if (message.replyTo !== undefined) properties.replyTo = message.replyTo
  if (message.correlationId !== undefined) properties.correlationId = message.correlationId
  return properties
}

/** No extras, for those who publish much. */
export const NONE: Extras = {}

function addExtras(headers: Record<string, unknown>, message: Message, extras: Extras): void {
  if (extras.hasLeftItsWay) {
    headers['tw-exchange'] = message.exchange
    headers['tw-topic'] = message.topic
  }
  if (extras.notes?.length) {
    const room = HEADERS_LIMIT - makeRoom(headers, message)
    headers['tw-notes'] = encodeNotes(extras.notes, Math.min(NOTES_LIMIT, room))
  }
  if (extras.target !== undefined) headers['tw-target'] = extras.target
  if (extras.rest) headers['tw-rest'] = extras.rest
  if (extras.letter) {
    headers['tw-letter'] = extras.letter.id
    headers['tw-reason'] = extras.letter.reason
    headers['tw-died'] = extras.letter.diedAt
  }
}

/** Bytes of the user's headers. Without notes nobody would know how often a message was tried: of a foreign one's headers the largest give way. */
function makeRoom(headers: Record<string, unknown>, message: Message): number {
  const sized = Object.entries(message.headers).map(
    ([name, text]) => [name, Buffer.byteLength(name) + Buffer.byteLength(text) + 8] as const,
  )
  sized.sort((one, other) => other[1] - one[1])
  let bytes = sized.reduce((sum, [, size]) => sum + size, 0)
  for (const [name, size] of sized) {
    if (bytes <= HEADERS_LIMIT - LEAST_NOTES) break
    delete headers[name]
    bytes -= size
  }
  return bytes
}

/** Notes that fit into so many bytes: stacks are cut, then those of older attempts dropped, then the oldest attempts, and at last the last one's stack. */
function encodeNotes(notes: readonly AttemptNote[], limit: number): string {
  let kept: AttemptNote[] = notes.map((note) => cut(note, STACK_LIMIT))
  let encoded = JSON.stringify(kept)
  const isTooLong = () => Buffer.byteLength(encoded) > limit
  if (isTooLong()) {
    kept = kept.map((note, index) => cut(note, index === kept.length - 1 ? STACK_LIMIT : 0, TEXT_LIMIT))
    encoded = JSON.stringify(kept)
  }
  while (kept.length > 1 && isTooLong()) {
    kept = kept.slice(1)
    encoded = JSON.stringify(kept)
  }
  return isTooLong() ? JSON.stringify(kept.map((note) => cut(note, 0, TEXT_LIMIT / 2))) : encoded
}

/** A note with no more of its stack and of its other texts. */
function cut({ stack, code, ...note }: AttemptNote, stackLimit: number, limit = Number.POSITIVE_INFINITY): AttemptNote {
  return {
    ...note,
    error: note.error.slice(0, limit),
    ...(code !== undefined && { code: code.slice(0, limit) }),
    ...(stack !== undefined && stackLimit > 0 && { stack: stack.slice(0, stackLimit) }),
  }
}

/** What a delivery is, read from the wire. */
export interface Wire {
  readonly fields: { readonly exchange: string; readonly routingKey: string; readonly redelivered: boolean }
  readonly properties: MessageProperties
  readonly content: Buffer
}

const textOf = (given: unknown): string | undefined => (typeof given === 'string' ? given : undefined)
const numberOf = (given: unknown): number | undefined => (typeof given === 'number' ? given : undefined)
const isText = (contentType: string) =>
  contentType === 'application/json' || /^(?:application\/(?:[\w.+-]*\+)?json|text\/)/.test(contentType)

/** What reading needs. */
export interface Reader {
  readonly names: Names
  readonly ids: IdSource
}

/** The message, also of a program that knows nothing of us: without an id of its own it gets a new one each time. */
export function toMessage({ fields, properties, content }: Wire, { names, ids }: Reader): Message {
  const headers = (properties.headers ?? {}) as Record<string, unknown>
  const contentType = textOf(properties.contentType) ?? 'application/octet-stream'
  const level = levels.find((one) => one === headers[LEVEL_HEADER]) ?? 'normal'
  const message: { -readonly [K in keyof Message]: Message[K] } = {
    id: textOf(properties.messageId) ?? ids(),
    exchange: textOf(headers['tw-exchange']) ?? names.exchangeHere(fields.exchange),
    topic: textOf(headers['tw-topic']) ?? fields.routingKey,
    body: isText(contentType) && headers['tw-bytes'] !== true ? content.toString() : new Uint8Array(content),
    contentType,
    headers: usersHeaders(headers),
    level: level as Level,
    publishedAt: numberOf(headers['tw-at']) ?? secondsOf(properties.timestamp),
  }
  const expiresAt = numberOf(headers['tw-expires'])
  if (expiresAt !== undefined) message.expiresAt = expiresAt
  const traceparent = textOf(headers[TRACE])
  if (traceparent !== undefined) message.traceparent = traceparent
  const requestId = textOf(headers['tw-request'])
  if (requestId !== undefined) message.requestId = requestId
  const replyTo = textOf(properties.replyTo)
  if (replyTo !== undefined) message.replyTo = replyTo
  const correlationId = textOf(properties.correlationId)
  if (correlationId !== undefined) message.correlationId = correlationId
  return message
}

/** AMQP's own time of a message is in seconds. */
function secondsOf(timestamp: unknown): number | undefined {
  const seconds = numberOf(timestamp)
  return seconds === undefined ? undefined : seconds * 1_000
}

/** Texts and numbers; what the broker adds (`x-death` and the like) is not the user's. */
function usersHeaders(headers: Record<string, unknown>): Record<string, string> {
  const mine: Record<string, string> = {}
  for (const name in headers) {
    if (name.startsWith(OURS) || name === TRACE || BROKERS.has(name)) continue
    const value = headers[name]
    if (typeof value === 'string') mine[name] = value
    else if (typeof value === 'number' || typeof value === 'boolean') mine[name] = String(value)
  }
  return mine
}

const BROKERS = new Set([
  'x-death',
  'x-first-death-exchange',
  'x-first-death-queue',
  'x-first-death-reason',
  'x-last-death-exchange',
  'x-last-death-queue',
  'x-last-death-reason',
  'x-delivery-count',
  'x-acquired-count',
  'x-opt-enqueue-time',
])

/** Extras as they arrive. */
export interface ReadExtras {
  readonly notes: readonly AttemptNote[]
  readonly target: string | undefined
  readonly rest: number
  /** Times that it was given and came back; undefined where the queue does not count. */
  readonly deliveryCount: number
  readonly letter: {
    readonly id: string | undefined
    readonly reason: string | undefined
    readonly diedAt: number | undefined
  }
}

/** What travelled with a message beside what its user said. */
export function toExtras({ properties }: Wire): ReadExtras {
  const headers = (properties.headers ?? {}) as Record<string, unknown>
  return {
    notes: decodeNotes(headers['tw-notes']),
    target: textOf(headers['tw-target']),
    rest: numberOf(headers['tw-rest']) ?? 0,
    deliveryCount: numberOf(headers['x-delivery-count']) ?? 0,
    letter: {
      id: textOf(headers['tw-letter']),
      reason: textOf(headers['tw-reason']),
      diedAt: numberOf(headers['tw-died']),
    },
  }
}

const NO_NOTES: readonly AttemptNote[] = []

function isNote(given: unknown): given is AttemptNote {
  const { attempt, error } = (given ?? {}) as { attempt?: unknown; error?: unknown }
  return Number.isInteger(attempt) && (attempt as number) > 0 && typeof error === 'string'
}

function decodeNotes(encoded: unknown): readonly AttemptNote[] {
  if (typeof encoded !== 'string') return NO_NOTES
  try {
    const notes: unknown = JSON.parse(encoded)
    return Array.isArray(notes) && notes.every(isNote) ? notes : NO_NOTES
  } catch {
    // Not ours after all.
    return NO_NOTES
  }
}

import { currentContext, optionsError, type RequestContext } from '@tailwater/core'

/** One row of the outbox, as a consumer sees it. */
export interface OutboxMessage {
  /** Place in line: grows by one from row to row, over all topics. */
  readonly sequence: bigint
  readonly topic: string
  /** Plain JSON data. */
  readonly payload: unknown
  /** Of the request or job that appended it; for `runInContext`. */
  readonly context: RequestContext | undefined
  /** When it was inserted, by the server's clock; milliseconds since the Unix epoch. */
  readonly appendedAt: number
}

/** A message as the server gives it. */
export interface MessageRow {
  sequence: string
  topic: string
  payload: string
  context: string | null
  mark: string
  appendedAt: number
}

/** Longest name of a topic, in characters. */
const MAX_TOPIC = 200

/** A message ready to be stored: JSON texts. */
export interface EncodedMessage {
  readonly topic: string
  readonly payload: string
}

/** @throws E_OPTIONS for a topic that is no name; TypeError for a payload that JSON cannot carry */
export function encodeMessage(topic: string, payload: unknown): EncodedMessage {
  const fits = typeof topic === 'string' && topic.length > 0 && topic.length <= MAX_TOPIC && !topic.includes('\0')
  if (!fits) throw optionsError('topic', `text of at most ${MAX_TOPIC} characters`, topic)
  return { topic: JSON.stringify(topic), payload: JSON.stringify(payload) ?? 'null' }
}

/** Texts of JSON as the text of their array. */
export function jsonArray(texts: readonly string[]): string {
  return `[${texts.join()}]`
}

/** The values of the append statement; the context is that of the caller. */
export function appendValues(messages: readonly EncodedMessage[], broadcast: boolean): string[] {
  const context = JSON.stringify(currentContext() ?? null)
  return [
    jsonArray(messages.map(({ topic }) => topic)),
    jsonArray(messages.map(({ payload }) => payload)),
    jsonArray(messages.map(() => context)),
    String(broadcast),
  ]
}

/** Reads a row. */
export function decodeMessage(row: MessageRow): OutboxMessage {
  const { topic, appendedAt } = row
  const context = row.context === null ? undefined : (JSON.parse(row.context) as RequestContext)
  return { sequence: BigInt(row.sequence), topic, payload: JSON.parse(row.payload), context, appendedAt }
}

/** A `LIKE` pattern of a topic, in which a `*` at the end stands for anything. */
export function topicPattern(topic: string): string {
  const literal = topic.replace(/[\\%_]/g, '\\$&')
  return literal.endsWith('*') ? `${literal.slice(0, -1)}%` : literal
}

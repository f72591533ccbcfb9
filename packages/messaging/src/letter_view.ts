import { createRedaction } from '@tailwater/jobs'
import type { DeathReason } from './backend/consume_port.ts'
import type { DeadLetter } from './backend/dead_letter_port.ts'
import type { AttemptNote, Level } from './message.ts'
import { decodeBody } from './publish/body.ts'

/** A dead letter as people see it. */
export interface LetterView {
  readonly id: string
  readonly subscription: string
  readonly messageId: string
  readonly exchange: string
  readonly topic: string
  readonly level: Level
  readonly contentType: string
  readonly headers: unknown
  /** Plain data; bytes, and what cannot be read, as a line that says how many there are. */
  readonly body: unknown
  readonly reason: DeathReason
  readonly notes: readonly AttemptNote[]
  readonly publishedAt: number | undefined
  readonly diedAt: number | undefined
  readonly requestId: string | undefined
}

/** Makes views of dead letters. @param rules names and paths that are hidden besides those that always are */
export function createLetterViews(rules: readonly string[]): (letter: DeadLetter) => LetterView {
  const redact = createRedaction(rules)
  return ({ id, subscription, message, reason, notes, diedAt }) => {
    const { id: messageId, exchange, topic, level, contentType, headers, publishedAt, requestId } = message
    const body = redact(readable(message))
    const shown = { body, headers: redact(headers), reason, notes, publishedAt, diedAt, requestId }
    return { id, subscription, messageId, exchange, topic, level, contentType, ...shown }
  }
}

/** What cannot be read is not shown: nobody could say what is to be hidden in it. */
function readable(message: DeadLetter['message']): unknown {
  const bytes = Buffer.byteLength(message.body)
  try {
    const body = decodeBody(message)
    return body instanceof Uint8Array ? `[${bytes} bytes]` : body
  } catch {
    return `[${bytes} bytes that are no JSON]`
  }
}

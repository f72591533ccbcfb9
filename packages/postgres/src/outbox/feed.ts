import type { Queryable } from '../queryable.ts'
import type { Line } from './line.ts'
import { decodeMessage, type EncodedMessage, jsonArray, type MessageRow, type OutboxMessage } from './message.ts'
import type { OutboxSql } from './sql.ts'

/** Where a reader stands: a place in line, and what tells the row there from another. */
export interface FeedPosition {
  readonly sequence: bigint
  /** Undefined where there is no row to compare with. */
  readonly mark: string | undefined
}

/** What a reader finds behind its position. */
export interface FeedPage {
  readonly messages: readonly OutboxMessage[]
  /** Where to read on from. */
  readonly next: FeedPosition
  /** Why messages may be missing before these: trimmed, or the server lost the end of the line and gave its places to others. */
  readonly lost: 'epoch' | 'gap' | undefined
}

/** The broadcast messages of an outbox, for readers that keep their position themselves. */
export interface OutboxFeed {
  /** Stores messages in line at once, in a transaction of their own. */
  broadcast(messages: readonly EncodedMessage[]): Promise<void>
  /** The end of the line. */
  end(): Promise<FeedPosition>
  /** The messages after a position, at most `limit`. */
  read(position: FeedPosition, limit: number): Promise<FeedPage>
  /** Resolves when there may be something after a position, or the signal aborts. */
  beyond(position: FeedPosition, signal: AbortSignal): Promise<void>
}

interface TailRow extends MessageRow {
  last: string
  lastMark: string | null
  hereMark: string | null
  trimmed: string
}

/** @param ring tells the other processes how long the line is now */
export function createFeed(database: Queryable, sql: OutboxSql, line: Line, ring: (last: bigint) => void): OutboxFeed {
  async function tail(sequence: bigint, limit: number): Promise<TailRow[]> {
    const { rows } = await database.query<TailRow>(sql.tail, [String(sequence), String(limit)])
    return rows
  }

  return {
    async broadcast(messages) {
      const values = [messages.map(({ topic }) => topic), messages.map(({ payload }) => payload)].map(jsonArray)
      const { rows } = await database.query<{ last: string }>(sql.broadcast, values)
      const last = BigInt(rows[0]!.last)
      line.reach(last)
      ring(last)
    },
    async end() {
      const rows = await tail(0n, 0)
      return endOf(rows[0]!)
    },
    async read(position, limit) {
      const rows = await tail(position.sequence, limit)
      const first = rows[0]!
      line.reach(BigInt(first.last))
      const lost = lossBefore(first, position)
      // After a loss everything derived from messages is thrown away: nothing is gained by reading what is left of them.
      if (lost) return { messages: [], next: endOf(first), lost }
      const messages = first.sequence === null ? [] : rows.map(decodeMessage)
      const isFull = messages.length === limit
      const next = isFull ? { sequence: messages.at(-1)!.sequence, mark: rows.at(-1)!.mark } : endOf(first)
      return { messages, next, lost }
    },
    beyond: (position, signal) => line.beyond(position.sequence, signal),
  }
}

function endOf({ last, lastMark }: TailRow): FeedPosition {
  return { sequence: BigInt(last), mark: lastMark ?? undefined }
}

function lossBefore({ hereMark, trimmed }: TailRow, { sequence, mark }: FeedPosition): FeedPage['lost'] {
  if (sequence < BigInt(trimmed)) return 'gap'
  return sequence > BigInt(trimmed) && (hereMark ?? undefined) !== mark ? 'epoch' : undefined
}

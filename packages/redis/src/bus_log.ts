import { newId } from '@tailwater/core'
import type { Redis } from './redis.ts'
import { defineScript } from './script.ts'

/** One message as the log keeps it. */
export interface LogEntry {
  /** Counts from 1, without gaps. */
  sequence: bigint
  /** Unique for ever, whatever becomes of the log. */
  id: string
  topic: string
  payload: unknown
}

/** How far a reader has got: the last entry it has seen. Sequence 0 stands for the beginning. */
export type LogPosition = Pick<LogEntry, 'sequence' | 'id'>

/** The beginning of a log. */
export const BEGINNING: LogPosition = { sequence: 0n, id: '' }

/**
 * Appends a message to the log and tells those who listen.
 * KEYS[1] stream; each entry is `<sequence>-0`: id, topic, data
 * ARGV[1] id of the message, ARGV[2] channel, ARGV[3] entries to keep at least, ARGV[4] topic, ARGV[5] payload as JSON
 * Reply: the sequence, as text
 * Message on the channel: "sequence id idBefore topic data", topic percent-encoded, idBefore "-" for the first entry
 *
 * A publisher that repeats itself after a lost answer finds its own id at the end, and appends nothing.
 */
const APPEND = defineScript({
  name: 'bus.append',
  version: 1,
  keys: ['log'],
  lua: `
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
local sequence, before = 0, '-'
if last then
  sequence = tonumber(string.match(last[1], '^%d+'))
  before = last[2][2]
  if before == ARGV[1] then return string.format('%.0f', sequence) end
end
local text = string.format('%.0f', sequence + 1)
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], text .. '-0', 'id', ARGV[1], 'topic', ARGV[4], 'data', ARGV[5])
redis.call('PUBLISH', ARGV[2], table.concat({ text, ARGV[1], before, ARGV[4], ARGV[5] }, ' '))
return text`,
})

/** Entries read at once. */
const PAGE = 500

/** The log of one bus, and the channel that says when there is something new in it. */
export interface BusLog {
  readonly channel: string
  append(topic: string, payload: unknown): Promise<void>
  /** The last entry's position. */
  tail(): Promise<LogPosition>
  /**
   * Entries after a position, at most a page of them.
   * `broken` says that the log does not go on from there: `gap` if it has been cut off behind it, `epoch` if it is not the same log any more.
   */
  after(position: LogPosition): Promise<{ entries: LogEntry[]; isMore: boolean; broken: 'gap' | 'epoch' | undefined }>
}

/** Opens the log of the bus of that name. */
export function createBusLog(redis: Redis, name: string, keep: number): BusLog {
  const key = redis.keyspace(`bus:${name}`)
  const log = key('log')
  const channel = key('news')

  const range = async (command: 'XRANGE' | 'XREVRANGE', from: string, to: string, count: number) =>
    (await redis.command<[id: string, fields: string[]][]>(command, log, from, to, 'COUNT', count)).map(toEntry)

  return {
    channel,
    async append(topic, payload) {
      await redis.run(
        APPEND,
        [log],
        [newId(), channel, keep, encodeURIComponent(topic), JSON.stringify(payload ?? null)],
      )
    },
    async tail() {
      const [last] = await range('XREVRANGE', '+', '-', 1)
      return last ?? BEGINNING
    },
    async after(position) {
      // The last entry seen is read again: that it is still there, and still itself, proves that nothing is missing after it.
      const page = await range('XRANGE', `${position.sequence}-0`, '+', PAGE)
      const isMore = page.length === PAGE
      if (position.sequence === 0n) return { entries: page, isMore, broken: undefined }
      const [seen, ...entries] = page
      if (seen?.sequence === position.sequence && seen.id === position.id) return { entries, isMore, broken: undefined }
      return { entries: [], isMore, broken: seen && seen.sequence > position.sequence ? 'gap' : 'epoch' }
    },
  }
}

function toEntry([id, fields]: [id: string, fields: string[]]): LogEntry {
  const [, own = '', , topic = '', , data = 'null'] = fields
  return {
    sequence: BigInt(id.slice(0, id.indexOf('-'))),
    id: own,
    topic: decodeURIComponent(topic),
    payload: JSON.parse(data),
  }
}

/** What a message on the channel says: an entry, and the id of the one before it. */
export function parseNews(message: string): { entry: LogEntry; before: string } {
  const [sequence = '0', id = '', before = '', topic = ''] = message.split(' ', 4)
  const data = message.slice(sequence.length + id.length + before.length + topic.length + 4)
  return {
    entry: { sequence: BigInt(sequence), id, topic: decodeURIComponent(topic), payload: JSON.parse(data) },
    before: before === '-' ? '' : before,
  }
}

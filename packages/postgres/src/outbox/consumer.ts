import {
  type Clock,
  createLeader,
  createService,
  type Leadership,
  type LeaseStore,
  notice,
  type Service,
  TailwaterError,
  toError,
} from '@tailwater/core'
import { atMost, DRAIN_MS, pause, report, settledBy } from '../loop.ts'
import type { Queryable } from '../queryable.ts'
import type { Line } from './line.ts'
import { decodeMessage, type MessageRow, type OutboxMessage, topicPattern } from './message.ts'
import type { OutboxSql } from './sql.ts'

/**
 * Handles messages in the order of their sequence, each at least once: after a crash, or a failure, a batch comes again.
 *
 * @param context.signal aborts when another process may have taken over, or the service was stopped and its deadline has passed
 * @param context.epoch grows from leader to leader, for fencing in other stores
 */
export type OutboxHandler = (
  messages: readonly OutboxMessage[],
  context: { signal: AbortSignal; epoch: bigint },
) => void | Promise<void>

/** How a consumer follows the outbox. */
export interface ConsumerOptions {
  /** Topics it follows; a `*` at the end stands for anything. @default ['*'] */
  topics?: readonly string[]
  /** Messages at most that the handler is given at once. @default 500 */
  batch?: number
  /** Where a consumer that is new to the database begins. @default 'oldest' */
  from?: 'oldest' | 'latest'
}

/** What consumers of one outbox share. */
export interface ConsumerGround {
  database: Queryable
  sql: OutboxSql
  line: Line
  clock: Clock
  leases: LeaseStore
  holder: string
  leaseTtl: number
  minBackoff: number
  maxBackoff: number
}

/** Failures in a row after which another process gets its chance: this one alone may be cut off from what its handler needs. */
const FAILURES_PER_TERM = 7
/** Progress beyond the last message of its own topics that a consumer need not store at once, in messages and in milliseconds. */
const UNSTORED = 10_000n
const STORE_AFTER = 5_000
/** Characters of an error that are kept with the position. */
const MAX_ERROR = 2_000

/** What is remembered through one term of office. */
interface Term {
  leadership: Leadership
  /** Aborts at the end of the term, and when the service drains. */
  signal: AbortSignal
  limit: number
  failures: number
}

/** Where a leader stands. */
interface Place {
  /** Everything up to here has been handled, or is not for this consumer. */
  position: bigint
  /** What the table says of it. */
  stored: bigint
  /** When the table is to know what has been passed by since. */
  storeAt: number
}

/**
 * One named consumer in one process.
 *
 * Modes: *stopped*; *candidate* for the lease of its name; *following* as its leader: claims the position with its epoch, then reads,
 * handles and advances; *waiting* for the line to grow; *blocked*: a batch failed, and after a pause the messages come again one at a
 * time, so that the one that fails stands alone. It is never passed by: the order is a promise, and `skip` is for a person to call. A leader
 * that fails again and again gives its lease back, and is a candidate like others.
 */
export function createConsumer(
  ground: ConsumerGround,
  name: string,
  handler: OutboxHandler,
  options: ConsumerOptions = {},
): Service {
  const { database, sql, line, clock } = ground
  const { topics = ['*'], batch = 500, from = 'oldest' } = options
  const source = `outbox consumer ${name}`
  let draining = new AbortController()
  let work: Promise<void> = Promise.resolve()

  const leader = createLeader({
    leases: ground.leases,
    name: `outbox:${name}`,
    holder: ground.holder,
    ttl: ground.leaseTtl,
    clock,
    onElected(leadership) {
      const signal = AbortSignal.any([leadership.signal, draining.signal])
      work = lead({ leadership, signal, limit: batch, failures: 0 })
      return work
    },
  })

  const isMine = ({ leadership, signal }: Term) => !signal.aborted && leader.current() === leadership

  /** Follows until the term or the service ends; begins again at the stored position after each failure. */
  async function lead(term: Term): Promise<void> {
    while (isMine(term)) {
      try {
        await follow(term)
      } catch (error) {
        report(source, error)
        term.limit = 1
        await pause(clock, Math.min(ground.minBackoff * 2 ** term.failures++, ground.maxBackoff), term.signal)
        if (term.failures === FAILURES_PER_TERM && isMine(term)) leader.resign()
      }
    }
  }

  async function follow(term: Term): Promise<void> {
    const claimed = await claim(term)
    if (claimed === undefined) return
    const place: Place = { position: claimed, stored: claimed, storeAt: clock.elapsed() + STORE_AFTER }
    while (isMine(term)) {
      const { last, messages } = await read(place.position, term.limit)
      if (last < place.position) return pause(clock, ground.minBackoff, term.signal)
      const end = messages.at(-1)?.sequence
      if (end === undefined) await waitForMore(term, place, last)
      else if (await handle(term, messages)) await store(term, place, end)
      else return
    }
  }

  /** There is nothing for this consumer up to `last`: notes that now and then, and waits for the line to grow. */
  async function waitForMore(term: Term, place: Place, last: bigint): Promise<void> {
    // Announced and not to be seen: of a line that the server has since lost. The next poll sets that right.
    if (last === place.position && line.last > last) await pause(clock, ground.minBackoff, term.signal)
    place.position = last
    const ahead = last - place.stored
    if (ahead >= UNSTORED || (ahead > 0n && clock.elapsed() >= place.storeAt)) return store(term, place, last)
    if (ahead === 0n) return line.beyond(last, term.signal)
    await atMost(clock, place.storeAt - clock.elapsed(), term.signal, (signal) => line.beyond(last, signal))
  }

  /** Undefined when a later leader has been. */
  async function claim({ leadership }: Term): Promise<bigint | undefined> {
    const { rows } = await database.query<{ position: string }>(sql.claim, [name, String(leadership.epoch)])
    if (rows[0]) return BigInt(rows[0].position)
    deposed()
    return undefined
  }

  async function read(position: bigint, limit: number): Promise<{ last: bigint; messages: OutboxMessage[] }> {
    const values = [name, String(position), String(limit)]
    const { rows } = await database.query<MessageRow & { last: string }>(sql.read, values)
    const last = BigInt(rows[0]!.last)
    line.reach(last)
    return { last, messages: rows[0]!.sequence === null ? [] : rows.map(decodeMessage) }
  }

  /** False when the term ended meanwhile and the handler with it. */
  async function handle(term: Term, messages: OutboxMessage[]): Promise<boolean> {
    const { epoch, signal } = term.leadership
    try {
      await handler(messages, { signal, epoch })
    } catch (thrown) {
      if (signal.aborted) return false
      throw await noteFailure(epoch, messages, toError(thrown))
    }
    term.failures = 0
    term.limit = Math.min(batch, term.limit * 2)
    return true
  }

  async function noteFailure(epoch: bigint, messages: OutboxMessage[], cause: Error): Promise<TailwaterError> {
    const { sequence, topic } = messages[0]!
    const blockedAt = messages.length === 1 ? String(sequence) : null
    const values = [name, String(epoch), blockedAt, cause.message.slice(0, MAX_ERROR)]
    const { rows } = await database.query<{ failures: number }>(sql.fail, values)
    const failures = rows[0]?.failures ?? 0
    const where =
      messages.length === 1 ? `message ${sequence} (${topic})` : `${messages.length} messages from ${sequence}`
    return new TailwaterError(
      'E_OUTBOX_CONSUMER',
      `consumer '${name}' failed at ${where}, ${failures} times now: ${cause.message}`,
      {
        consumer: name,
        sequence: String(sequence),
        failures,
        cause,
      },
    )
  }

  /** Refused, and the term over with it, when a later leader has claimed the position. */
  async function store({ leadership }: Term, place: Place, position: bigint): Promise<void> {
    const { rows } = await database.query(sql.advance, [name, String(leadership.epoch), String(position)])
    if (rows.length === 0) return deposed()
    place.position = place.stored = position
    place.storeAt = clock.elapsed() + STORE_AFTER
  }

  function deposed(): void {
    leader.resign()
    if (notice.hasSubscribers)
      notice.publish({ source, level: 'warn', message: 'another process has taken over: stepping down' })
  }

  return createService(source, {
    async start() {
      draining = new AbortController()
      await database.query(sql.register, [name, JSON.stringify(topics.map(topicPattern)), String(from === 'latest')])
      await leader.start()
    },
    async stop(deadline = clock.elapsed() + DRAIN_MS) {
      draining.abort()
      await settledBy(clock, deadline, work)
      await leader.stop(deadline)
    },
  })
}

import {
  type Clock,
  createService,
  type Duration,
  duration,
  integer,
  type LeaseStore,
  newId,
  optional,
  optionsError,
  processIdentity,
  resolveOptions,
  type Service,
  startAll,
  stopAll,
  systemClock,
  text,
  value,
} from '@tailwater/core'
import type { Database, Transaction } from '../database.ts'
import { createPostgresLeases } from '../leases.ts'
import { DRAIN_MS } from '../loop.ts'
import type { SqlExecutor } from '../queryable.ts'
import { DEFAULT_SCHEMA, quoteSchema } from '../schema_name.ts'
import { type ConsumerGround, type ConsumerOptions, createConsumer, type OutboxHandler } from './consumer.ts'
import { createDoorbell } from './doorbell.ts'
import { createFeed, type OutboxFeed } from './feed.ts'
import { Line } from './line.ts'
import { appendValues, encodeMessage } from './message.ts'
import { createPoller } from './poller.ts'
import { createSequencer } from './sequencer.ts'
import { outboxSql } from './sql.ts'
import { createTrimmer } from './trimmer.ts'

/** How an outbox is made. */
export interface OutboxOptions {
  database: Database
  /** @default 'tailwater' */
  schema?: string
  /** Where consumers compete to be the one that is served. @default leases in the same schema */
  leases?: LeaseStore
  /** How soon another process takes a consumer over from one that has gone silent. @default '15s' */
  leaseTtl?: Duration
  /** How long rows stay after they got their place in line; what a consumer has yet to handle stays longer. @default '10m' */
  retention?: Duration
  /** Rows that stay at most, handled or broadcast. @default 1000000 */
  maxRows?: number
  /** The first pause after a consumer failed; doubled at each further failure. @default '100ms' */
  minBackoff?: Duration
  /** @default '1m' */
  maxBackoff?: Duration
  /** @default systemClock */
  clock?: Clock
}

/** How a message is appended. */
export interface AppendOptions {
  /**
   * Wakes the consumers by a NOTIFY in the transaction itself, for transactions that are not ours and so offer no hook after their commit. Such a commit holds a
   * lock that all notifying transactions of the server share; without it the row is found by polling, within a second.
   * @default false
   */
  notify?: boolean
  /** A message of the bus, for every process, instead of one for consumers. @default false */
  broadcast?: boolean
}

/** How far a consumer has got. */
export interface ConsumerStatus {
  name: string
  position: bigint
  /** Messages of all topics between its position and the end of the line. */
  behind: number
  failures: number
  /** The message that fails, and that the line waits behind. */
  blockedAt: bigint | undefined
  lastError: string | undefined
}

/**
 * What must follow a transaction: written within it, handled after it, in order, at least once.
 *
 * Promises, checked by `outboxContract`: nothing of a transaction that was rolled back; everything of one that was committed, in the order in
 * which rows became visible, to each consumer; again after a crash between handling and the note of it; one process at a time
 * serves a consumer, and the note of one that was deposed is refused.
 */
export interface Outbox extends Service {
  /** Adds a message within the caller's transaction. A transaction of ours wakes the consumers after its commit. */
  append(tx: SqlExecutor, topic: string, payload: unknown, options?: AppendOptions): Promise<void>
  /** Adds many in one statement, in their order. */
  appendAll(
    tx: SqlExecutor,
    messages: readonly { topic: string; payload: unknown }[],
    options?: AppendOptions,
  ): Promise<void>
  /** Follows the outbox under a name that is the same in all processes and releases; resolves when it is known to the database. @throws E_OPTIONS for a name given twice */
  consumer(name: string, handler: OutboxHandler, options?: ConsumerOptions): Promise<void>
  /** Looks for committed rows now; call it after the commit of a transaction that is not ours. */
  wake(): void
  consumers(): Promise<ConsumerStatus[]>
  /** Passes by the message that a consumer fails at, for good; false if it is not blocked there. */
  skip(consumer: string, sequence: bigint): Promise<boolean>
  /** Forgets a consumer that the application has given up, so that its messages can be trimmed; false if there was none. */
  removeConsumer(name: string): Promise<boolean>
  /** What buses read. */
  readonly feed: OutboxFeed
}

/** Options with defaults filled in and values checked. */
export function resolveOutboxOptions(options: OutboxOptions) {
  const has = (method: string) => (given: unknown) =>
    typeof (given as Record<string, unknown> | undefined)?.[method] === 'function'
  const resolved = resolveOptions('createOutbox', options, {
    database: value<Database>('a Database', has('transaction')),
    schema: text({ default: DEFAULT_SCHEMA }),
    leases: optional(value<LeaseStore>('a LeaseStore', has('acquire'))),
    leaseTtl: duration({ default: '15s', min: 100 }),
    retention: duration({ default: '10m', min: 1 }),
    maxRows: integer({ default: 1_000_000, min: 0 }),
    minBackoff: duration({ default: '100ms', min: 1 }),
    maxBackoff: duration({ default: '1m', min: 1 }),
    clock: value<Clock>('a Clock', has('after'), { default: systemClock }),
  })
  quoteSchema(resolved.schema, 'createOutbox.schema')
  return { ...resolved, leases: resolved.leases ?? createPostgresLeases(resolved) }
}

/**
 * Makes this process's end of the outbox in a schema.
 *
 * @example
 * const outbox = createOutbox({ database })
 * await outbox.consumer('welcome-mail', async (messages) => {
 *   for (const { payload } of messages) await mailer.send(welcome(payload))
 * }, { topics: ['customer.created'] })
 * await outbox.start()
 * await database.transaction(async (tx) => {
 *   const customer = await insertCustomer(tx)
 *   await outbox.append(tx, 'customer.created', { id: customer.id })
 * })
 */
export function createOutbox(options: OutboxOptions): Outbox {
  const settings = resolveOutboxOptions(options)
  const { database, schema, clock } = settings
  const sql = outboxSql(schema)
  const line = new Line()
  const sequencer = createSequencer(database, sql, line, clock)
  const doorbell = createDoorbell({
    database,
    sql,
    schema,
    clock,
    onRing: (last) => (last === undefined ? wake() : line.reach(last)),
  })
  const own = [doorbell, createPoller(clock, look), createTrimmer({ ...settings, sql })]
  const consumers = new Map<string, Service>()
  // Two outboxes of one process are two candidates.
  const ground: ConsumerGround = { ...settings, sql, line, holder: `${processIdentity}:${newId().slice(-12)}` }
  let running = false

  async function look(): Promise<number> {
    const moved = await sequencer.run()
    if (moved > 0) doorbell.ring(line.last)
    return moved
  }

  function wake(): void {
    // A failure is the poller's to report: it looks again soon.
    if (running) void look().catch(() => undefined)
  }

  const service = createService('outbox', {
    async start() {
      await sequencer.run()
      await startAll([...own, ...consumers.values()])
      running = true
    },
    async stop(deadline = clock.elapsed() + DRAIN_MS) {
      running = false
      await Promise.all([...consumers.values()].map((consumer) => consumer.stop(deadline)))
      await stopAll(own, deadline)
    },
  })

  async function appendAll(
    tx: SqlExecutor,
    messages: readonly { topic: string; payload: unknown }[],
    { notify = false, broadcast = false }: AppendOptions = {},
  ): Promise<void> {
    if (messages.length === 0) return
    const encoded = messages.map(({ topic, payload }) => encodeMessage(topic, payload))
    const values = appendValues(encoded, broadcast)
    if (isOurs(tx)) await tx.query(sql.append, values)
    else await tx.query(sql.append.text, values)
    if (notify) await tx.query(sql.notify.text, [doorbell.channel, ''])
    if (tx === (database as SqlExecutor)) wake()
    else if (isOurs(tx)) tx.afterCommit(wake)
  }

  return {
    ...service,
    appendAll,
    append: (tx, topic, payload, how) => appendAll(tx, [{ topic, payload }], how),
    async consumer(name, handler, how) {
      if (consumers.has(name)) throw optionsError('outbox.consumer', 'a name that is not in use', name)
      const consumer = createConsumer(ground, name, handler, how)
      consumers.set(name, consumer)
      if (!running) return
      try {
        await consumer.start()
      } catch (error) {
        consumers.delete(name)
        throw error
      }
    },
    wake,
    async consumers() {
      const { rows } = await database.query<Record<keyof ConsumerStatus, string | null>>(sql.list)
      return rows.map(statusOf)
    },
    async skip(consumer, sequence) {
      const { rows } = await database.query(sql.skip, [consumer, String(sequence)])
      return rows.length > 0
    },
    async removeConsumer(name) {
      const { rows } = await database.query(sql.remove, [name])
      return rows.length > 0
    },
    feed: createFeed(database, sql, line, doorbell.ring),
  }
}

function isOurs(tx: SqlExecutor | Transaction): tx is Transaction {
  return 'afterCommit' in tx
}

function statusOf(row: Record<keyof ConsumerStatus, string | null>): ConsumerStatus {
  const { name, position, behind, failures, blockedAt, lastError } = row
  return {
    name: name!,
    position: BigInt(position!),
    behind: Number(behind),
    failures: Number(failures),
    blockedAt: blockedAt === null ? undefined : BigInt(blockedAt),
    lastError: lastError ?? undefined,
  }
}

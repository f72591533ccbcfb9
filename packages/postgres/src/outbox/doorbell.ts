import { type Cancel, type Clock, createService, type Service } from '@tailwater/core'
import type { Database } from '../database.ts'
import { createListener } from '../listener.ts'
import { report } from '../loop.ts'
import type { OutboxSql } from './sql.ts'

/** Wakes the other processes, and is woken by them. */
export interface Doorbell extends Service {
  /** Tells the others that the line has reached `last`; many calls in a short time become one notification. */
  ring(last: bigint): void
  /** The channel, for a NOTIFY within a transaction. */
  readonly channel: string
}

/** How a doorbell is made. */
export interface DoorbellOptions {
  database: Database
  sql: OutboxSql
  schema: string
  clock: Clock
  /** Somebody rang: the line has reached `last`, or nobody knows how far. */
  onRing(last: bigint | undefined): void
}

/** Milliseconds between two notifications of one process: a commit that notifies holds a lock that all of them share. */
const MIN_INTERVAL = 10

/**
 * LISTEN on a session of one's own, NOTIFY through the pool. It only wakes: a lost notification costs the time until the next poll and
 * nothing else, so that where no session is to be had, behind a transaction pooler, all works with polling alone.
 */
export function createDoorbell({ database, sql, schema, clock, onRing }: DoorbellOptions): Doorbell {
  const channel = `tw_outbox_${schema}`
  let waiting: bigint | undefined
  let cancelQuiet: Cancel | undefined

  const listener = createListener({
    database,
    channel,
    clock,
    name: 'outbox doorbell',
    onNotification: (payload) => onRing(/^\d{1,19}$/.test(payload) ? BigInt(payload) : undefined),
    // What was rung while nobody listened.
    onListening: () => onRing(undefined),
  })

  async function notify(): Promise<void> {
    const last = waiting
    waiting = undefined
    try {
      await database.query(sql.notify, [channel, String(last)])
    } catch (error) {
      report('outbox doorbell', error)
    }
  }

  function ring(last: bigint): void {
    if (waiting === undefined || last > waiting) waiting = last
    if (cancelQuiet) return
    void notify()
    cancelQuiet = clock.after(MIN_INTERVAL, () => {
      cancelQuiet = undefined
      if (waiting !== undefined) ring(waiting)
    })
  }

  const service = createService('outbox doorbell', {
    start: () => listener.start(),
    async stop(deadline) {
      cancelQuiet?.()
      cancelQuiet = undefined
      waiting = undefined
      await listener.stop(deadline)
    },
  })
  return { ...service, ring, channel }
}

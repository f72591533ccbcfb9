import { type Cancel, type Clock, createService, hasCode, type Service } from '@tailwater/core'
import { escapeIdentifier } from 'pg'
import type { Database, Session } from '../database.ts'
import { createLoop, pause, report } from '../loop.ts'
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
/** Milliseconds before a lost session is opened again; doubled up to the longest. */
const FIRST_BACKOFF = 100
const LONGEST_BACKOFF = 30_000

/**
 * LISTEN on a session of one's own, NOTIFY through the pool. It only wakes: a lost notification costs the time until the next poll and
 * nothing else, so that where no session is to be had, behind a transaction pooler, all works with polling alone.
 */
export function createDoorbell({ database, sql, schema, clock, onRing }: DoorbellOptions): Doorbell {
  const channel = `tw_outbox_${schema}`
  let waiting: bigint | undefined
  let cancelQuiet: Cancel | undefined

  const listening = createLoop('outbox listener', clock, async (signal) => {
    let backoff = FIRST_BACKOFF
    while (!signal.aborted) {
      try {
        await holdSession(signal, () => {
          backoff = FIRST_BACKOFF
        })
      } catch (error) {
        if (hasCode(error, 'E_NO_SESSION')) return
        if (!signal.aborted && backoff === FIRST_BACKOFF) report('outbox doorbell', error)
      }
      await pause(clock, backoff, signal)
      backoff = Math.min(backoff * 2, LONGEST_BACKOFF)
    }
  })

  async function holdSession(signal: AbortSignal, onListening: () => void): Promise<void> {
    const session = await database.session({ signal })
    try {
      session.onNotification((from, payload) => {
        if (from === channel) onRing(/^\d{1,19}$/.test(payload) ? BigInt(payload) : undefined)
      })
      await session.query(`LISTEN ${escapeIdentifier(channel)}`, [], { signal })
      onListening()
      // What was rung while nobody listened.
      onRing(undefined)
      await closedOrAborted(session, signal)
    } finally {
      await session.release()
    }
  }

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
    start: () => listening.start(),
    async stop(deadline) {
      cancelQuiet?.()
      cancelQuiet = undefined
      waiting = undefined
      await listening.stop(deadline)
    },
  })
  return { ...service, ring, channel }
}

function closedOrAborted(session: Session, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    void session.closed.then(resolve)
  })
}

import { type Clock, hasCode, type Service } from '@tailwater/core'
import { escapeIdentifier } from 'pg'
import type { Database, Session } from './database.ts'
import { createLoop, pause, report } from './loop.ts'

/** What is listened to, and who is told. */
export interface ListenerOptions {
  database: Database
  channel: string
  clock: Clock
  /** In reports of failures: `outbox doorbell`. */
  name: string
  onNotification(payload: string): void
  /** It listens now: what was told before that was not heard. */
  onListening(): void | Promise<void>
}

/** Milliseconds before a lost session is opened again; doubled up to the longest. */
const FIRST_BACKOFF = 100
const LONGEST_BACKOFF = 30_000

/**
 * LISTEN on a session of one's own, opened again whenever it is lost. Behind a transaction pooler, where no session is to be had, it ends: a notification may only wake, and whoever
 * is woken by it looks by itself now and then.
 */
export function createListener({
  database,
  channel,
  clock,
  name,
  onNotification,
  onListening,
}: ListenerOptions): Service {
  async function hold(signal: AbortSignal, isHeld: () => void): Promise<void> {
    const session = await database.session({ signal })
    try {
      session.onNotification((from, payload) => {
        if (from === channel) onNotification(payload)
      })
      await session.query(`LISTEN ${escapeIdentifier(channel)}`, [], { signal })
      isHeld()
      await onListening()
      await closedOrAborted(session, signal)
    } finally {
      await session.release()
    }
  }

  return createLoop(`${name} listener`, clock, async (signal) => {
    let backoff = FIRST_BACKOFF
    while (!signal.aborted) {
      try {
        await hold(signal, () => {
          backoff = FIRST_BACKOFF
        })
      } catch (error) {
        if (hasCode(error, 'E_NO_SESSION')) return
        if (!signal.aborted && backoff === FIRST_BACKOFF) report(name, error)
      }
      await pause(clock, backoff, signal)
      backoff = Math.min(backoff * 2, LONGEST_BACKOFF)
    }
  })
}

function closedOrAborted(session: Session, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    void session.closed.then(resolve)
  })
}

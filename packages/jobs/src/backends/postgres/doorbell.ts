import { backgroundError, type Cancel, createService, newId, type Service, toError } from '@tailwater/core'
import { createListener } from '@tailwater/postgres'
import type { Ground } from './ground.ts'

/** Tells other processes, and this one, that jobs became available. */
export interface Doorbell extends Service {
  /** Wakes this process at once and the others soon; many calls in a short time become one notification. @param queues undefined: nobody knows which */
  ring(queues: readonly string[] | undefined): void
  listen(wake: (queue: string) => void): Promise<() => Promise<void>>
}

/** Milliseconds between two notifications of one process: a commit that notifies holds a lock that all of them share. */
const MIN_INTERVAL = 5
/** Bytes of queues' names in one notification, which holds 8,000. */
const MAX_PAYLOAD = 7_000
/** Stands for queues that nobody knows. No queue's name is empty. */
const ANY = ''

/**
 * LISTEN on a session of one's own, NOTIFY through the pool after the commit. It only wakes: a lost notification costs the time until the next poll and
 * nothing else, so that where no session is to be had, behind a transaction pooler, all works with polling alone.
 *
 * Modes: *silent* (nobody listens, no session), *listening* (a session that LISTENs), *waiting* (it was lost, and is opened again after a pause).
 */
export function createDoorbell(ground: Ground): Doorbell {
  const { database, clock, channel, statement } = ground
  const notify = statement('notify', 'SELECT pg_notify($1::text, $2::text)::text')
  // The tally is small.
  const available = statement(
    'waiting',
    `SELECT queue FROM ${ground.schema}.jobs_tally WHERE state = 'available' GROUP BY queue HAVING sum(jobs) > 0`,
  )
  // Its own notifications come back to each process, and have been heard before they were sent.
  const self = newId().slice(-12)
  const listeners = new Set<(queue: string) => void>()
  const waiting = new Set<string>()
  let cancelQuiet: Cancel | undefined
  let isOpen = false

  function ring(queues: readonly string[] = [ANY]): void {
    if (!isOpen || queues.length === 0) return
    for (const queue of new Set(queues)) {
      waiting.add(queue)
      void hear(queue)
    }
    if (!cancelQuiet) announce()
  }

  function announce(): void {
    cancelQuiet = undefined
    if (waiting.size === 0) return
    void tell()
    cancelQuiet = clock.after(MIN_INTERVAL, announce)
  }

  async function tell(): Promise<void> {
    const names = [...waiting].join('\n')
    const payload = waiting.has(ANY) || Buffer.byteLength(names) > MAX_PAYLOAD ? ANY : names
    waiting.clear()
    try {
      await database.query(notify, [channel, `${self}\n${payload}`])
    } catch (error) {
      report(error)
    }
  }

  async function hear(queue: string): Promise<void> {
    if (listeners.size === 0) return
    if (queue !== ANY) return wakeAll(queue)
    try {
      const { rows } = await database.query<{ queue: string }>(available)
      for (const row of rows) wakeAll(row.queue)
    } catch (error) {
      report(error)
    }
  }

  function wakeAll(queue: string): void {
    for (const wake of listeners) wake(queue)
  }

  function receive(payload: string): void {
    const [from, ...queues] = payload.split('\n')
    if (from !== self) for (const queue of queues) void hear(queue)
  }

  const listener = createListener({
    database,
    channel,
    clock,
    name: 'jobs doorbell',
    onNotification: receive,
    // What was rung while nobody listened.
    onListening: () => hear(ANY),
  })

  async function beginListening(): Promise<void> {
    if (isOpen && listeners.size > 0) await listener.start()
  }

  const service = createService('jobs-doorbell', {
    async start() {
      isOpen = true
      await beginListening()
    },
    async stop(deadline) {
      isOpen = false
      cancelQuiet?.()
      cancelQuiet = undefined
      waiting.clear()
      await listener.stop(deadline)
    },
  })

  return {
    ...service,
    ring,
    async listen(wake) {
      listeners.add(wake)
      await beginListening()
      return async () => {
        listeners.delete(wake)
        if (listeners.size === 0) await listener.stop()
      }
    },
  }
}

function report(error: unknown): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'jobs doorbell', error: toError(error) })
}

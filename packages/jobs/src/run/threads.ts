import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { Cancel, Clock } from '@tailwater/core'
import { jobsError } from '../errors.ts'
import type { Attempt } from './attempt.ts'
import { Snooze } from './snooze.ts'
import type { ThreadMessage, ThreadOutcome, ThreadTask } from './thread_entry.ts'

/** Milliseconds that a thread has to stop by itself when it was told to; then it is ended. */
const STOP_GRACE = 5_000

/** What is used of piscina's pool. */
interface Pool {
  run(task: ThreadTask, options: { transferList: MessagePort[]; signal: AbortSignal }): Promise<ThreadOutcome>
  destroy(): Promise<void>
}

/**
 * Runs handlers in worker threads, from a pool of `piscina` that is made when the first one is needed.
 *
 * Progress, log lines and the word to stop pass through a port of each job's own. A handler that does not listen to its signal loses its thread after a
 * grace, which is the one way to stop work that never lets go of its processor.
 */
export class Threads {
  readonly #clock: Clock
  readonly #max: number | undefined
  #pool: Promise<Pool> | undefined

  /** @param max threads at most; undefined for one and a half for each processor */
  constructor(clock: Clock, max: number | undefined) {
    this.#clock = clock
    this.#max = max
  }

  /** @throws E_PACKAGE_MISSING without piscina, and what the handler threw */
  async run(module: URL, attempt: Attempt): Promise<unknown> {
    this.#pool ??= openPool(this.#max)
    const pool = await this.#pool
    const { port1: port, port2: threadPort } = new MessageChannel()
    const end = new AbortController()
    port.on('message', (message: ThreadMessage) => {
      if ('log' in message) attempt.log(message.log)
      else attempt.progress(message.progress)
    })
    const unwatch = this.#passOn(attempt, port, end)
    try {
      const { claimed, payload, key } = attempt
      const task = { module: module.href, port: threadPort, payload, key, jobId: claimed.id, attempt: claimed.attempt }
      return resultOf(await pool.run(task, { transferList: [threadPort], signal: end.signal }))
    } finally {
      unwatch()
      port.close()
    }
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    const pool = this.#pool
    this.#pool = undefined
    if (pool) await pool.then((open) => open.destroy())
  }

  #passOn({ signal }: Attempt, port: MessagePort, end: AbortController): Cancel {
    let cancel: Cancel = () => {}
    const onAbort = () => {
      port.postMessage({ stop: String((signal.reason as Error).message) })
      cancel = this.#clock.after(STOP_GRACE, () => end.abort(signal.reason))
    }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    return () => {
      cancel()
      signal.removeEventListener('abort', onAbort)
    }
  }
}

function resultOf(outcome: ThreadOutcome): unknown {
  if ('result' in outcome) return outcome.result
  if ('snooze' in outcome) return new Snooze(outcome.snooze)
  const { message, ...fields } = outcome.error
  throw Object.assign(new Error(message), fields)
}

async function openPool(max: number | undefined): Promise<Pool> {
  const { Piscina } = await import('piscina').catch((cause: unknown) => {
    throw jobsError('E_PACKAGE_MISSING', "handlers in threads need the package 'piscina': npm install piscina", {
      cause,
    })
  })
  // Sources and what is built of them differ in the ending alone.
  const entry = new URL(import.meta.url.endsWith('.ts') ? './thread_entry.ts' : './thread_entry.js', import.meta.url)
  return new Piscina({ filename: entry.href, minThreads: 0, ...(max !== undefined && { maxThreads: max }) })
}

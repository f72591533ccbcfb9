import type { MessagePort } from 'node:worker_threads'
import { toError } from '@tailwater/core'
import { Snooze } from './snooze.ts'

/** What a thread is asked to do. */
export interface ThreadTask {
  /** URL of the handler's module. */
  module: string
  port: MessagePort
  payload: unknown
  key: string | undefined
  jobId: string
  attempt: number
}

/** What a thread tells while it works. */
export type ThreadMessage = { progress: unknown } | { log: string }

/** A job as a handler in a thread sees it. */
export interface ThreadJob<Payload = unknown> {
  readonly jobId: string
  readonly attempt: number
  readonly key: string | undefined
  readonly payload: Payload
  /**
   * Aborts when the job is to stop. The thread hears of it only when the handler lets go of the processor, by awaiting a macrotask such as
   * `scheduler.yield()`; otherwise the thread is ended after 5 s.
   */
  readonly signal: AbortSignal
  progress(value: unknown): void
  log(line: string): void
}

/** How a task ended: what crosses threads keeps neither classes nor the codes of errors. */
export type ThreadOutcome =
  | { result: unknown }
  | { snooze: number }
  | { error: { name: string; message: string; stack: string | undefined; code: unknown; retryable: unknown } }

/** What such a module exports by default. */
export type ThreadHandler<Payload = unknown> = (job: ThreadJob<Payload>) => unknown

/** Runs in the thread: calls the module's handler. */
export default async function runTask(task: ThreadTask): Promise<ThreadOutcome> {
  try {
    const result = await handle(task)
    return result instanceof Snooze ? { snooze: result.delay } : { result }
  } catch (thrown) {
    if (thrown instanceof Snooze) return { snooze: thrown.delay }
    const { name, message, stack, code, retryable } = toError(thrown) as Error & { code?: unknown; retryable?: unknown }
    return { error: { name, message, stack, code, retryable } }
  } finally {
    task.port.close()
  }
}

async function handle({ module, port, payload, key, jobId, attempt }: ThreadTask): Promise<unknown> {
  const stop = new AbortController()
  port.on('message', (message: { stop: string }) => stop.abort(new Error(message.stop)))
  const loaded = (await import(module)) as { default?: ThreadHandler }
  if (typeof loaded.default !== 'function') throw new Error(`${module} has no default export that is a function`)
  return loaded.default({
    jobId,
    attempt,
    key,
    payload,
    signal: stop.signal,
    progress: (value) => port.postMessage({ progress: value } satisfies ThreadMessage),
    log: (line) => port.postMessage({ log: line } satisfies ThreadMessage),
  })
}

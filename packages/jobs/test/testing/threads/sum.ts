import { threadId } from 'node:worker_threads'
import type { ThreadJob } from '@tailwater/jobs'

/** Adds up, tells of it, and waits for the word to stop when it is asked for something endless. */
export default async function sum({ payload, signal, progress, log }: ThreadJob<{ upTo: number; mode?: string }>) {
  if (payload.mode === 'throw') throw Object.assign(new RangeError('too much'), { retryable: false })
  if (payload.mode === 'listen') {
    log('listening')
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    log(`told: ${(signal.reason as Error).message}`)
    throw signal.reason
  }
  if (payload.mode === 'odd') progress(5n)
  if (payload.mode === 'exit') process.exit(3)
  if (payload.mode === 'deaf') {
    progress(1)
    for (;;) Math.sqrt(2)
  }
  let total = 0
  for (let n = 1; n <= payload.upTo; n++) total += n
  progress(100)
  log('added up')
  return { total, isMainThread: threadId === 0 }
}

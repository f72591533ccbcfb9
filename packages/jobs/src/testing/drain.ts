import { type JobAttemptEvent, jobAttempt, listen } from '@tailwater/core'
import type { Jobs } from '../jobs.ts'
import { workers } from '../run/workers.ts'

/** What ran. */
export interface Drained {
  /** Attempts by how they ended. */
  completed: number
  /** To be tried again. */
  retryable: number
  dead: number
  cancelled: number
  snoozed: number
  /** The errors, in the order in which they came. */
  errors: Error[]
}

/**
 * Runs every job that is available, and those that come of them, until none is left; then stops the engine.
 *
 * Jobs that wait for their time, or for another attempt, stay: move the clock and drain again. Paused queues, and jobs that a rate holds back, are left alone as well.
 *
 * @example
 * const jobs = createJobs({ backend: createMemoryBackend({ clock }), clock })
 * await receipt.enqueue({ orderId: 7 })
 * const { completed } = await drain(jobs)
 */
export async function drain(jobs: Jobs): Promise<Drained> {
  const worker = workers.get(jobs)
  if (!worker) throw new TypeError('drain needs what createJobs made')
  const drained: Drained = { completed: 0, retryable: 0, dead: 0, cancelled: 0, snoozed: 0, errors: [] }
  const unlisten = listen(jobAttempt, ({ outcome, error }: JobAttemptEvent) => {
    drained[outcome]++
    if (error) drained.errors.push(error)
  })
  try {
    await jobs.start()
    await worker.idle()
    return drained
  } finally {
    await jobs.stop()
    unlisten()
  }
}

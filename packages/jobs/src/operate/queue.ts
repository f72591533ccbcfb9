import type { Duration } from '@tailwater/core'
import type { JobCounts, JobFilter, QueueStats } from '../backend/inspect_port.ts'
import type { JobsBackend } from '../backend.ts'
import type { JobState } from '../job.ts'
import type { Operations } from './operations.ts'

/** One queue, as operators see it. */
export interface Queue {
  readonly name: string
  counts(): Promise<JobCounts>
  stats(): Promise<QueueStats>
  /** No job is begun until it is resumed, by whichever process; jobs can still be enqueued. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Retries its dead jobs; how many. */
  redrive(filter?: Omit<JobFilter, 'queue'>): Promise<number>
  /** Deletes jobs of these states that are older than `age`; how many. */
  clean(states: readonly JobState[], age: Duration): Promise<number>
}

/** @param wake tells the workers of this process */
export function createQueue(
  name: string,
  { inspect, maintain }: JobsBackend,
  operations: Operations,
  wake: (queue: string) => void,
): Queue {
  return {
    name,
    counts: () => inspect.counts(name),
    stats: () => inspect.stats(name),
    pause: () => maintain.pause(name),
    async resume() {
      await maintain.resume(name)
      wake(name)
    },
    redrive: (filter = {}) => operations.redrive({ ...filter, queue: name }),
    clean: (states, age) => operations.clean({ queue: name, states }, age),
  }
}

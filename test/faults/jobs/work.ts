import { sleep, systemClock } from '@tailwater/core'
import type { Jobs, JobsBackend, Kind, RunningJob } from '@tailwater/jobs'
import { type JobsPackage, thisVersion } from './jobs_package.ts'

/** A job of a fault test. */
export interface Work {
  /** The producer's number: the same job told again after an enqueueing that nobody confirmed has the same. */
  n: number
  /** Milliseconds of the handler. */
  ms: number
  /** Attempts that fail before one does not. */
  failures: number
  /** `hopeless` fails for good; `poison` ends its process. */
  fate: 'well' | 'hopeless' | 'poison'
}

/** What a handler tells of itself before and after its work. */
export interface Witness {
  begin(job: RunningJob<Work>): void
  end(job: RunningJob<Work>): void
}

/** How an engine of a fault test is built. */
export interface WorkOptions {
  /** Jobs that this process runs at once; 0 only enqueues. */
  concurrency: number
  /** Milliseconds; with it the store is looked at twice a second. @default the engine's, as is how often it looks */
  lease?: number
}

/** The queue of all jobs. */
export const QUEUE = 'work'

/** Attempts of a job: more than the kills that it could meet by chance. */
const ATTEMPTS = 12

const nobody: Witness = { begin: () => {}, end: () => {} }

/** The engine that all processes of a fault test have, and its one kind of job. */
export function createWork(
  backend: JobsBackend,
  { concurrency, lease }: WorkOptions,
  witness: Witness = nobody,
  { createJobs, PermanentError }: JobsPackage = thisVersion,
): { jobs: Jobs; work: Kind<Work> } {
  const pace = lease === undefined ? {} : { lease, pollInterval: '500ms' as const }
  const jobs = createJobs({ backend, ...pace, queues: { [QUEUE]: { concurrency } } })
  const work = jobs.define<Work>({
    kind: 'work',
    queue: QUEUE,
    attempts: ATTEMPTS,
    backoff: { type: 'fixed', delay: '50ms' },
    async run(job) {
      const { ms, failures, fate } = job.payload
      witness.begin(job)
      if (fate === 'poison') process.kill(process.pid, 'SIGKILL')
      await sleep(systemClock, ms)
      if (job.attempt <= failures) throw new Error('not yet')
      witness.end(job)
      if (fate === 'hopeless') throw new PermanentError('it will never do')
      return process.pid
    },
  })
  return { jobs, work }
}

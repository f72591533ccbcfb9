import { createJobs, type Jobs, type JobsBackend, type Kind, type RunningJob } from '@tailwater/jobs'
import { ATTEMPTS, type StormJob } from './tenants.ts'

/** The queue that all tenants share. */
export const QUEUE = 'storm'
/** Jobs at once, and of one tenant where tenants are held apart. */
export const CONCURRENCY = 50
export const PER_TENANT = 20
/** Finished jobs that are kept, of each state. */
export const KEPT = 1_000

/** The engine of all processes of a storm. @param fair whether tenants take turns, and have a limit each */
export function createStormEngine(
  backend: JobsBackend,
  { concurrency, fair }: { concurrency: number; fair: boolean },
  run: (job: RunningJob<StormJob>) => Promise<unknown>,
): { jobs: Jobs; kind: Kind<StormJob> } {
  const keep = { age: '1h' as const, count: KEPT }
  const jobs = createJobs({
    backend,
    pollInterval: '1s',
    queues: {
      [QUEUE]: {
        concurrency,
        limits: fair ? { fair: true, perKey: { concurrency: PER_TENANT } } : {},
        retention: { completed: keep, dead: keep },
      },
    },
  })
  const kind = jobs.define<StormJob>({
    kind: 'storm',
    queue: QUEUE,
    attempts: ATTEMPTS,
    backoff: { type: 'fixed', delay: '1s' },
    run,
  })
  return { jobs, kind }
}

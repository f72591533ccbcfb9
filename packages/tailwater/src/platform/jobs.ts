import type { Keyring } from '@tailwater/core'
import { createJobs, type Jobs, type JobsBackend } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createRedisBackend } from '@tailwater/jobs/redis'
import type { ResolvedConfig } from '../config.ts'
import type { Ground } from './ground.ts'

/** The jobs of the platform. */
export function openJobs(config: ResolvedConfig, ground: Ground, keyring: Keyring): Jobs {
  const { clock, jobConcurrency: concurrency } = config
  const { queues, redact } = config.jobs
  return createJobs({ backend: openJobsBackend(config, ground), queues, redact, concurrency, keyring, clock })
}

/** Where they are kept: beside the application's data, so that they commit with it, unless the configuration says otherwise. */
export function openJobsBackend({ jobs, schema, clock }: ResolvedConfig, { database, redis }: Ground): JobsBackend {
  if (jobs.store === 'redis') return createRedisBackend({ redis: redis! })
  return createPostgresBackend({ database, schema, clock })
}

import type { Keyring } from '@tailwater/core'
import { createJobs, createMemoryBackend, type Jobs, type JobsBackend } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createRedisBackend } from '@tailwater/jobs/redis'
import type { ResolvedConfig } from '../config.ts'
import type { Ground } from './ground.ts'

/** The jobs of the platform. */
export function openJobs(config: ResolvedConfig, ground: Ground, keyring: Keyring): Jobs {
  const { clock, jobConcurrency: concurrency } = config
  const { queues, redact, encrypt } = config.jobs
  return createJobs({ backend: openJobsBackend(config, ground), queues, redact, encrypt, concurrency, keyring, clock })
}

/**
 * Where they are kept: beside the application's data, so that they commit with it, unless the configuration says otherwise. For Redis what is enqueued in a
 * transaction goes through the outbox of the same database.
 */
export function openJobsBackend(
  { jobs, schema, clock }: ResolvedConfig,
  { database, redis, outbox }: Ground,
): JobsBackend {
  if (jobs.store === 'redis') return createRedisBackend({ redis: redis!, outbox })
  if (jobs.store === 'memory') return createMemoryBackend({ clock })
  return createPostgresBackend({ database, schema, clock })
}

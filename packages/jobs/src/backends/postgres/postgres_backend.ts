import { type Clock, createService, systemClock } from '@tailwater/core'
import { type Database, DEFAULT_SCHEMA } from '@tailwater/postgres'
import type { JobsBackend } from '../../backend.ts'
import { createDoorbell } from './doorbell.ts'
import { enqueuePort } from './enqueue.ts'
import { layGround } from './ground.ts'
import { inspectPort } from './inspect.ts'
import { maintainPort } from './maintain.ts'
import { schedulePort } from './schedules.ts'
import { workPort } from './work.ts'

/** Where jobs are kept. */
export interface PostgresBackendOptions {
  /** Started and stopped by whoever made it. */
  database: Database
  /** Schema to which `jobsMigrations` were applied. @default 'tailwater' */
  schema?: string
  /** Of pauses between notifications; what is due is decided by the server's. @default systemClock */
  clock?: Clock
}

/**
 * Jobs in PostgreSQL, enqueued within the caller's own transaction.
 *
 * Everything that a worker says and wants in a turn is one call of a function in the database: one round trip and one transaction, with or without a
 * transaction pooler between. See docs/decisions/0016-jobs-on-postgresql.md.
 *
 * @example
 * const jobs = createJobs({ backend: createPostgresBackend({ database }) })
 */
export function createPostgresBackend({
  database,
  schema = DEFAULT_SCHEMA,
  clock = systemClock,
}: PostgresBackendOptions): JobsBackend {
  const ground = layGround(database, schema, clock)
  const doorbell = createDoorbell(ground)
  const jobs = enqueuePort(ground, doorbell)
  return {
    ...createService('jobs-postgres', { start: () => doorbell.start(), stop: (deadline) => doorbell.stop(deadline) }),
    name: 'postgres',
    jobs,
    work: workPort(ground, doorbell),
    inspect: inspectPort(ground),
    maintain: maintainPort(ground, doorbell),
    schedules: schedulePort(ground, jobs),
  }
}

import { createService } from '@tailwater/core'
import type { JobsBackend } from '../../backend.ts'
import { MAX_CRASHES } from '../../job.ts'
import { connectJobs } from './connection.ts'
import { enqueuePort } from './enqueue.ts'
import { refuseEviction } from './eviction.ts'
import { inspectPort } from './inspect.ts'
import { maintainPort } from './maintain.ts'
import { type RedisBackendOptions, resolveRedisBackendOptions } from './options.ts'
import { schedulePort } from './schedules.ts'
import { workPort } from './work.ts'

/**
 * Jobs in Redis or Valkey, 6.2 and later: a single server, Sentinel or Cluster.
 *
 * Each step is one script over keys of one hash tag, in the server's time. A cluster keeps them all on one node; queues that one node cannot bear go to
 * connections with prefixes of their own.
 *
 * What is confirmed is as safe as the server's own settings make it: with `appendfsync always` it outlives the server's death, with `everysec` up to a second may
 * be lost when the machine dies. Replication is asynchronous, so a failover may lose what had not arrived; with `replicas` an enqueueing is confirmed when it has.
 *
 * `start` needs a connection that is started, and refuses a server that evicts keys with E_JOBS_EVICTION.
 *
 * @throws E_OPTIONS
 * @example
 * const jobs = createJobs({ backend: createRedisBackend({ redis }) })
 */
export function createRedisBackend(options: RedisBackendOptions): JobsBackend {
  const { redis, replicas } = resolveRedisBackendOptions(options)
  const connection = connectJobs(redis)
  const service = createService('jobs-redis', {
    start: () => refuseEviction(connection),
    stop: () => Promise.resolve(),
  })
  return {
    ...service,
    name: 'redis',
    jobs: enqueuePort(connection, { replicas }),
    work: workPort(connection, MAX_CRASHES),
    inspect: inspectPort(connection),
    maintain: maintainPort(connection, MAX_CRASHES),
    schedules: schedulePort(connection),
  }
}

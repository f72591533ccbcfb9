import { createService } from '@tailwater/core'
import type { JobsBackend } from '../../backend.ts'
import { createOutboxRelay } from '../../enqueue/outbox_relay.ts'
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
 * With an `outbox` a job can be enqueued in a transaction of PostgreSQL: it is written there, and comes to Redis right after the commit, at least once, in order.
 *
 * `start` needs a connection that is started, and refuses a server that evicts keys with E_JOBS_EVICTION.
 *
 * @throws E_OPTIONS
 * @example
 * const jobs = createJobs({ backend: createRedisBackend({ redis }) })
 */
export function createRedisBackend(options: RedisBackendOptions): JobsBackend {
  const { redis, replicas, outbox } = resolveRedisBackendOptions(options)
  const connection = connectJobs(redis)
  const jobs = enqueuePort(connection, { replicas })
  const relay = outbox && createOutboxRelay({ outbox, store: connection.root, add: jobs.add })
  const service = createService('jobs-redis', {
    async start() {
      await refuseEviction(connection)
      await relay?.follow()
    },
    stop: () => Promise.resolve(),
  })
  return {
    ...service,
    name: 'redis',
    jobs: relay ? { ...jobs, add: (given, tx) => (tx ? relay.append(tx, given) : jobs.add(given)) } : jobs,
    work: workPort(connection, MAX_CRASHES),
    inspect: inspectPort(connection),
    maintain: maintainPort(connection, MAX_CRASHES),
    schedules: schedulePort(connection),
  }
}

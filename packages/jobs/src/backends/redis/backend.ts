import { createService } from '@tailwater/core'
import type { JobsBackend } from '../../backend.ts'
import { createOutboxRelay } from '../../enqueue/outbox_relay.ts'
import { connectJobs } from './connection.ts'
import { refuseEviction } from './eviction.ts'
import { type RedisBackendOptions, resolveRedisBackendOptions } from './options.ts'
import { Away } from './shards/away.ts'
import { shardedEnqueue } from './shards/enqueue.ts'
import { shardedInspect } from './shards/inspect.ts'
import { refuseOtherLayout } from './shards/layout.ts'
import { shardedMaintain } from './shards/maintain.ts'
import { shardedSchedules } from './shards/schedules.ts'
import { openShard, type Ports } from './shards/shard.ts'
import { Shards } from './shards/shards.ts'
import { shardedWork } from './shards/work.ts'

/**
 * Jobs in Redis or Valkey, 6.2 and later: a single server, Sentinel or Cluster.
 *
 * Each step is one script over keys of one hash tag, in the server's time. A cluster keeps them all on one node, unless `tags: 'queue'` gives each queue a tag of its own.
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
  const { redis, replicas, outbox, tags } = resolveRedisBackendOptions(options)
  const connection = connectJobs(redis)
  const shards = tags === 'queue' ? new Shards(redis, replicas) : undefined
  const { jobs, work, inspect, maintain, schedules } = shards ? portsOf(shards) : openShard(redis, 'jobs', replicas)
  const relay = outbox && createOutboxRelay({ outbox, store: connection.root, add: jobs.add })
  const service = createService('jobs-redis', {
    async start() {
      await refuseEviction(connection)
      await refuseOtherLayout(connection, tags)
      // Each may be on another node of a cluster.
      for (const shard of (await shards?.all()) ?? []) await refuseEviction(shard.connection)
      await relay?.follow()
    },
    stop: () => Promise.resolve(),
  })
  return {
    ...service,
    name: 'redis',
    work,
    inspect,
    maintain,
    schedules,
    jobs: relay ? { ...jobs, add: (given, tx) => (tx ? relay.append(tx, given) : jobs.add(given)) } : jobs,
  }
}

function portsOf(shards: Shards): Ports {
  const jobs = shardedEnqueue(shards, () => away)
  const away = new Away(shards, jobs.add)
  return {
    jobs,
    work: shardedWork(shards, away),
    inspect: shardedInspect(shards),
    maintain: shardedMaintain(shards, away),
    schedules: shardedSchedules(shards),
  }
}

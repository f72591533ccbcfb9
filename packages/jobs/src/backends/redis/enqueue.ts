import { TailwaterError } from '@tailwater/core'
import type { RedisArgument } from '@tailwater/redis'
import type { EnqueuePort, Stored } from '../../backend/enqueue_port.ts'
import type { NewJob } from '../../job.ts'
import { isFull, type JobsConnection, memoryFull } from './connection.ts'
import { entriesOf } from './entries.ts'
import { backendError } from './errors.ts'
import { ADD } from './scripts/add.ts'

/** Jobs of one script: some milliseconds of the server's time. */
const MAX_BATCH = 500
/** Milliseconds that replicas have for one call; less than a command may take. */
const REPLICA_PATIENCE = 1_000

/** How jobs come into Redis. */
export function enqueuePort(connection: JobsConnection, { replicas }: { replicas: number }): EnqueuePort {
  const { redis, root } = connection
  const send = replicas > 0 ? confirmed : plain

  function plain(entries: readonly RedisArgument[]): Promise<string[]> {
    return connection.run<string[]>(ADD, entries)
  }

  /**
   * WAIT counts the replicas that have what its own connection wrote, so it goes right behind the script, in one pipeline; and the script goes by its text, as a
   * second attempt after NOSCRIPT would come after the WAIT.
   */
  async function confirmed(entries: readonly RedisArgument[]): Promise<string[]> {
    const [stored, waited] = await redis.batch([
      { command: 'EVAL', args: [ADD.source, 1, root, ...entries, ''], key: root },
      { command: 'WAIT', args: [replicas, REPLICA_PATIENCE], key: root },
    ])
    if (stored!.status === 'rejected') throw isFull(stored!.reason) ? memoryFull(redis, stored!.reason) : stored!.reason
    if (waited!.status === 'rejected') throw waited!.reason
    const reached = Number(waited!.value)
    if (reached < replicas) throw unconfirmed(redis.target, reached, replicas)
    return stored!.value as string[]
  }

  return {
    maxBatch: MAX_BATCH,
    async add(jobs, tx) {
      if (tx)
        throw new TailwaterError(
          'E_JOB_TRANSACTION',
          'jobs in Redis can be part of a transaction of PostgreSQL only through an outbox: createRedisBackend({ redis, outbox }); or enqueue after the commit',
        )
      if (jobs.length === 0) return []
      return outcomesOf(jobs, await send(entriesOf(jobs)))
    },
    async onAvailable(wake) {
      const stop = await redis.subscribe(`${root}:wake`, {
        onMessage: wake,
        // Who comes in, or comes back, is told of the next job, even if others were told of one before.
        onLive: () => void connection.redis.command('DEL', `${root}:awake`).catch(() => undefined),
      })
      return async () => stop()
    },
  }
}

function outcomesOf(jobs: readonly NewJob[], exceptions: readonly string[]): Stored[] {
  if (exceptions.length === 0) return jobs.map(({ id }) => ({ id, outcome: 'stored' }))
  const known = new Map<string, Stored>()
  for (let at = 0; at < exceptions.length; at += 3)
    known.set(exceptions[at]!, { id: exceptions[at + 1]!, outcome: exceptions[at + 2] as Stored['outcome'] })
  return jobs.map(({ id }) => known.get(id) ?? { id, outcome: 'stored' })
}

function unconfirmed(target: string, reached: number, replicas: number): TailwaterError {
  return backendError(
    'E_JOBS_REPLICAS',
    `the jobs are stored in Redis at ${target}, but only ${reached} of ${replicas} replicas had them after ${REPLICA_PATIENCE} ms; calling again with the same ids does no harm`,
    { target, reached, replicas },
  )
}

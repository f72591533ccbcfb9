import { hasCode, type TailwaterError } from '@tailwater/core'
import type { Redis, RedisArgument, Script } from '@tailwater/redis'
import { backendError } from './errors.ts'

/** Runs the backend's scripts on its one root key. */
export interface JobsConnection {
  readonly redis: Redis
  /** Of which all keys are made: `prefix:{jobs}`. */
  readonly root: string
  run<Reply>(script: Script<readonly ['root']>, args?: readonly RedisArgument[]): Promise<Reply>
}

/** Binds a connection to the root of keys that share a hash tag. */
export function connectJobs(redis: Redis, tag = 'jobs'): JobsConnection {
  const root = redis.keyspace(tag)()
  return {
    redis,
    root,
    run: <Reply>(script: Script<readonly ['root']>, args: readonly RedisArgument[] = []) =>
      redis.run<Reply>(script, [root], args).catch((error: unknown) => {
        throw isFull(error) ? memoryFull(redis, error) : error
      }),
  }
}

/** Whether the server refused because it is at its memory limit. */
export function isFull(error: unknown): boolean {
  return hasCode(error, 'E_REDIS_COMMAND') && (error as TailwaterError).details?.['reply'] === 'OOM'
}

/** The error of a call that the server had no memory for. */
export function memoryFull(redis: Redis, cause: unknown): TailwaterError {
  return backendError(
    'E_JOBS_MEMORY',
    `Redis at ${redis.target} is at its memory limit, and stored nothing of this call: raise maxmemory, or shorten what the queues keep`,
    { target: redis.target, cause },
  )
}

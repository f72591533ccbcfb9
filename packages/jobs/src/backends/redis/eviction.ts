import type { JobsConnection } from './connection.ts'
import { backendError } from './errors.ts'

/**
 * Refuses a server that would throw jobs away to make room. That it has no limit of memory today does not help: the first one that somebody sets would lose jobs,
 * and nothing would say so.
 *
 * @throws E_JOBS_EVICTION
 */
export async function refuseEviction({ redis, root }: JobsConnection): Promise<void> {
  // Of a cluster the node that has the jobs.
  const [memory] = await redis.batch([{ command: 'INFO', args: ['memory'], key: root }])
  if (memory!.status === 'rejected') throw memory!.reason
  const policy = /^maxmemory_policy:(\S+)/m.exec(String(memory!.value))?.[1]
  if (policy === undefined || policy === 'noeviction') return
  throw backendError(
    'E_JOBS_EVICTION',
    `Redis at ${redis.target} evicts keys when its memory is full (maxmemory-policy ${policy}), and would lose jobs: set it to noeviction (CONFIG SET maxmemory-policy noeviction, and in the server's configuration), or give the jobs a server of their own`,
    { target: redis.target, policy },
  )
}

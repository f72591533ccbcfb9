import type { JobsConnection } from '../connection.ts'
import { backendError } from '../errors.ts'

/** How keys are tagged: all jobs of a prefix together, or each queue on its own. */
export type Tags = 'prefix' | 'queue'

/**
 * Refuses a prefix whose jobs are kept the other way: none of them would be seen.
 *
 * @throws E_JOBS_TAGS
 */
export async function refuseOtherLayout({ redis, root }: JobsConnection, tags: Tags): Promise<void> {
  const other = tags === 'queue' ? 'queues' : 'shards'
  if ((await redis.command<number>('EXISTS', `${root}:${other}`)) === 0) return
  const present = tags === 'queue' ? 'prefix' : 'queue'
  throw backendError(
    'E_JOBS_TAGS',
    `under this prefix Redis at ${redis.target} keeps jobs with a tag for each ${present}: say tags: '${present}', or take another prefix and let these jobs end first`,
    { target: redis.target, tags: present },
  )
}

import type { Redis } from '@tailwater/redis'
import type { BullMqJob } from './bullmq_job.ts'

/** Jobs read together. */
const LOT = 500

const LISTS = { waiting: 'wait', paused: 'paused', prioritized: 'prioritized', delayed: 'delayed' } as const

/** States in the order in which BullMQ would begin their jobs. */
export const STATES: readonly BullMqJob['state'][] = ['waiting', 'paused', 'prioritized', 'delayed']

/** A hash of BullMQ's. */
export interface StoredHash {
  id: string
  fields: Map<string, string>
}

/** What BullMQ keeps of one queue. It is only read. */
export interface BullMqSource {
  /** Entries of all lists that are read. */
  count(): Promise<number>
  /** Jobs of a state in the order in which BullMQ would begin them, some at a time. `read` counts entries without a job, too. */
  jobs(state: BullMqJob['state']): AsyncGenerator<{ jobs: StoredHash[]; read: number }>
  /** Job schedulers; those of versions before 5.16 have no fields. */
  schedulers(): Promise<StoredHash[]>
  /** Ids of jobs that wait for children. */
  parents(): Promise<string[]>
  active(): Promise<number>
}

/** Opens a queue by the beginning of its keys. */
export function openBullMq(redis: Redis, queue: string, prefix: string): BullMqSource {
  const key = (...parts: string[]) => [prefix, queue, ...parts].join(':')
  const isList = (state: BullMqJob['state']) => state === 'waiting' || state === 'paused'

  async function hashes(ids: readonly string[], keyOf: (id: string) => string): Promise<StoredHash[]> {
    const replies = await redis.batch(ids.map((id) => ({ command: 'HGETALL', args: [keyOf(id)] })))
    return replies.flatMap((reply, at) => {
      if (reply.status === 'rejected') throw reply.reason
      const flat = reply.value as string[]
      const fields = new Map(
        flat.flatMap((name, field) => (field % 2 === 0 ? [[name, flat[field + 1]!] as const] : [])),
      )
      return fields.size > 0 ? [{ id: ids[at]!, fields }] : []
    })
  }

  return {
    async count() {
      const counts = await Promise.all(
        STATES.map((state) => redis.command<number>(isList(state) ? 'LLEN' : 'ZCARD', key(LISTS[state]))),
      )
      return counts.reduce((sum, count) => sum + count, 0)
    },
    async *jobs(state) {
      for (let from = 0; ; from += LOT) {
        // Lists are served from their end.
        const ids = isList(state)
          ? (await redis.command<string[]>('LRANGE', key(LISTS[state]), -(from + LOT), -(from + 1))).reverse()
          : await redis.command<string[]>('ZRANGE', key(LISTS[state]), from, from + LOT - 1)
        if (ids.length === 0) return
        // Markers that wake workers have no job.
        yield { jobs: await hashes(ids, (id) => key(id)), read: ids.length }
      }
    },
    async schedulers() {
      const ids = await redis.command<string[]>('ZRANGE', key('repeat'), 0, -1)
      const found = await hashes(ids, (id) => key('repeat', id))
      const known = new Set(found.map(({ id }) => id))
      return [...found, ...ids.filter((id) => !known.has(id)).map((id) => ({ id, fields: new Map<string, string>() }))]
    },
    parents: () => redis.command<string[]>('ZRANGE', key('waiting-children'), 0, -1),
    active: () => redis.command<number>('LLEN', key('active')),
  }
}

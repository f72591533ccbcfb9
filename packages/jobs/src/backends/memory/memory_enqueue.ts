import { TailwaterError } from '@tailwater/core'
import type { EnqueuePort, Stored } from '../../backend/enqueue_port.ts'
import type { NewJob } from '../../job.ts'
import { dueTime, type JobRecord, recordOf } from './record.ts'
import type { MemoryStore } from './store.ts'

/** Jobs of one `add`: memory has no limit of its own. */
const MAX_BATCH = 10_000

/** How jobs come into memory. */
export function memoryEnqueue(store: MemoryStore): EnqueuePort {
  return {
    maxBatch: MAX_BATCH,
    async add(jobs, tx) {
      if (tx) throw new TailwaterError('E_JOB_TRANSACTION', 'the memory backend cannot take part in a transaction')
      return jobs.map((job) => addJob(store, job))
    },
    async onAvailable(wake) {
      const listener = (queue: string) => wake(queue)
      store.listeners.add(listener)
      return async () => void store.listeners.delete(listener)
    },
  }
}

/** Stores one job with what is below it, or finds the one that stands for it. */
export function addJob(store: MemoryStore, job: NewJob): Stored {
  if (store.jobs.has(job.id)) return { id: job.id, outcome: 'stored' }
  const standing = job.unique && store.standing(job.unique.key)
  if (standing && standing.id !== job.id) {
    const isReplaced = job.unique!.replace && !job.children?.length && replace(store, standing.record, job)
    return { id: standing.id, outcome: isReplaced ? 'replaced' : 'duplicate' }
  }
  storeTree(store, job, undefined)
  return { id: job.id, outcome: 'stored' }
}

function storeTree(store: MemoryStore, job: NewJob, parentId: string | undefined): void {
  const record = recordOf(job, parentId, store.now())
  store.admit(record)
  if (job.unique && parentId === undefined) takeUnique(store, record, job.unique)
  for (const child of job.children ?? []) storeTree(store, child, job.id)
  if (record.pendingChildren === 0) store.plan(record, 'scheduled')
}

function takeUnique(store: MemoryStore, record: JobRecord, { key, ttl }: NonNullable<NewJob['unique']>): void {
  record.unique = { key, until: ttl === undefined ? undefined : store.now() + ttl }
  store.uniques.set(key, { id: record.id, until: record.unique.until })
}

function replace(store: MemoryStore, record: JobRecord | undefined, job: NewJob): boolean {
  if (!record || record.attempt > 0 || (record.state !== 'scheduled' && record.state !== 'available')) return false
  record.payload = job.payload
  store.leaveLines(record)
  record.priority = job.priority
  record.runAt = dueTime(job, store.now())
  takeUnique(store, record, job.unique!)
  store.plan(record, 'scheduled')
  return true
}

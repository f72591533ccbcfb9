import { type Retention, standardRetention } from '../../backend/maintain_port.ts'
import { promote, rescueDead } from './memory_work.ts'
import type { MemoryQueue } from './queue.ts'
import { isFinal, type JobRecord } from './record.ts'
import type { MemoryStore } from './store.ts'

const endings = ['completed', 'cancelled', 'dead'] as const

/** Makes due and rescues what no worker asks for, and deletes what has been kept for long enough. @returns what it buried */
export function sweep(store: MemoryStore): JobRecord[] {
  for (const queue of store.queues.values()) promote(store, queue)
  const buried = rescueDead(store)
  for (const queue of store.queues.values())
    for (const state of endings) retire(store, queue, state, (queue.retention ?? standardRetention)[state])
  for (const [key, { until }] of store.uniques)
    if (until !== undefined && until <= store.now()) store.uniques.delete(key)
  for (const { keys } of store.queues.values())
    for (const [key, { running, idleAt }] of keys) if (running === 0 && idleAt <= store.now()) keys.delete(key)
  return buried
}

/** From the oldest on, until one is young enough and no more than may be kept are left. */
function retire(
  store: MemoryStore,
  { ended }: MemoryQueue,
  state: (typeof endings)[number],
  { age, count = Number.POSITIVE_INFINITY }: Retention['dead'],
): void {
  let excess = ended[state].size - count
  for (const record of ended[state]) {
    if (excess <= 0 && record.finishedAt! >= store.now() - age) return
    excess--
    if (!isAwaited(store, record)) retireJob(store, record)
  }
}

/** A unique key with a time outlasts its job. */
function retireJob(store: MemoryStore, record: JobRecord): void {
  record.unique = undefined
  store.drop(record)
}

/** A parent that has not ended may still ask for it. */
function isAwaited(store: MemoryStore, { parentId }: JobRecord): boolean {
  const parent = parentId === undefined ? undefined : store.jobs.get(parentId)
  return parent !== undefined && !isFinal(parent.state)
}

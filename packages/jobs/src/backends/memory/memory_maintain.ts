import type { MaintainPort } from '../../backend/maintain_port.ts'
import { ageStart, matching } from './filter.ts'
import { claimedOf, isFinal, type JobRecord } from './record.ts'
import type { MemoryStore } from './store.ts'
import { sweep } from './sweep.ts'
import { cancelJob, retryJob, tellParent } from './transitions.ts'

type Change = Parameters<MaintainPort['edit']>[1]

/** What operators do in memory. */
export function memoryMaintain(store: MemoryStore): MaintainPort {
  return {
    async configure(name, limits, retention) {
      Object.assign(store.queue(name), { limits, retention })
    },
    async pause(name) {
      store.queue(name).isPaused = true
    },
    async resume(name) {
      const queue = store.queue(name)
      queue.isPaused = false
      if (queue.counts.available > 0) for (const wake of store.listeners) queueMicrotask(() => wake(name))
    },
    cancel: async (id) => withJob(store, id, (record) => cancelJob(store, record)),
    retry: async (id) => withJob(store, id, (record) => retryJob(store, record)),
    redrive: async (filter, limit, to) =>
      upTo(limit, oldestFirst(store, filter), (record) => {
        const { state } = record
        if (state !== 'dead' && state !== 'cancelled' && state !== 'scheduled' && state !== 'retryable') return false
        if (to !== undefined) store.move(record, to)
        return retryJob(store, record)
      }),
    edit: async (id, change) => withJob(store, id, (record) => editJob(store, record, change)),
    remove: async (id) => withJob(store, id, (record) => removeJob(store, record)),
    clean: async (filter, age, limit) =>
      upTo(limit, oldestFirst(store, filter), (r) => ageStart(r) < store.now() - age && removeJob(store, r)),
    erase: async (key, limit) =>
      upTo(limit, oldestFirst(store, { key }), (record) => {
        if (record.state !== 'running') return removeJob(store, record)
        return !record.isCancelAsked && cancelJob(store, record)
      }),
    sweep: async () => ({ buried: sweep(store).map(claimedOf) }),
  }
}

function withJob(store: MemoryStore, id: string, act: (record: JobRecord) => boolean): boolean {
  const record = store.jobs.get(id)
  return record !== undefined && act(record)
}

const oldestFirst = (store: MemoryStore, filter: Parameters<typeof matching>[1]) =>
  [...matching(store.jobs.values(), filter)].reverse()

function upTo(limit: number, records: readonly JobRecord[], act: (record: JobRecord) => boolean): number {
  let done = 0
  for (const record of records) {
    if (done === limit) break
    if (act(record)) done++
  }
  return done
}

function removeJob(store: MemoryStore, record: JobRecord): boolean {
  if (record.state === 'running') return false
  const hasEnded = isFinal(record.state)
  store.drop(record)
  if (!hasEnded) tellParent(store, record, false)
  return true
}

function editJob(store: MemoryStore, record: JobRecord, { payload, priority, runAt, queue }: Change): boolean {
  if (record.state === 'running' || record.state === 'completed') return false
  store.leaveLines(record)
  if (queue !== undefined) store.move(record, queue)
  record.payload = payload ?? record.payload
  record.priority = priority ?? record.priority
  record.runAt = runAt ?? record.runAt
  if (record.state === 'available' && runAt === undefined) store.makeAvailable(record, record.availableSince)
  else if (record.state === 'available' || record.state === 'scheduled') replan(store, record, 'scheduled')
  else if (record.state === 'retryable') replan(store, record, 'retryable')
  return true
}

function replan(store: MemoryStore, record: JobRecord, state: 'scheduled' | 'retryable'): void {
  record.runAt = Math.max(record.runAt, store.now())
  store.plan(record, state)
}

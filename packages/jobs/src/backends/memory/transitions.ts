import type { JobEnd } from '../../job.ts'
import { MAX_CRASHES } from '../../job.ts'
import { isFinal, type JobRecord } from './record.ts'
import type { MemoryStore } from './store.ts'

/** Milliseconds of a minute. */
const MINUTE = 60_000
/** Minutes of statistics that are kept, with the one that is not full. */
const MINUTES_KEPT = 61

/** How an attempt's end, told by the job's owner, changes the job. */
export function endAttempt(store: MemoryStore, record: JobRecord, end: JobEnd): void {
  release(store, record)
  if (end.outcome !== 'snoozed') countMinute(store, record, end.outcome === 'completed')
  if (end.outcome === 'completed') {
    record.result = end.result
    finish(store, record, 'completed')
  } else if (end.outcome === 'snoozed') giveBack(store, record, end.delay)
  else {
    record.error = end.error
    fail(store, record, end)
  }
}

function fail(store: MemoryStore, record: JobRecord, end: JobEnd & { outcome: 'failed' | 'dead' | 'cancelled' }): void {
  if (end.outcome === 'cancelled' || (end.outcome === 'failed' && record.isCancelAsked))
    finish(store, record, 'cancelled')
  else if (end.outcome === 'dead' || record.attempt >= record.maxAttempts) finish(store, record, 'dead')
  else {
    record.runAt = store.now() + end.delay
    store.plan(record, 'retryable')
  }
}

/** The attempt does not count. */
function giveBack(store: MemoryStore, record: JobRecord, delay: number): void {
  record.attempt--
  record.runAt = store.now() + delay
  if (record.isCancelAsked) finish(store, record, 'cancelled')
  else store.plan(record, 'scheduled')
}

/** What a worker still had when it left. */
export function handBack(store: MemoryStore, record: JobRecord): void {
  release(store, record)
  record.attempt--
  if (record.isCancelAsked) finish(store, record, 'cancelled')
  else store.makeAvailable(record, store.now(), { first: true })
}

/** What a dead worker had. True when that was once too often. */
export function rescue(store: MemoryStore, record: JobRecord): boolean {
  release(store, record)
  record.crashes++
  if (record.isCancelAsked) finish(store, record, 'cancelled')
  else if (record.crashes > MAX_CRASHES || record.attempt >= record.maxAttempts) {
    record.error = `E_JOB_POISON: its worker died ${record.crashes} times, in attempt ${record.attempt} of ${record.maxAttempts}`
    finish(store, record, 'dead')
    return true
  } else store.makeAvailable(record, store.now(), { first: true })
  return false
}

/** Takes a job from its worker. */
function release(store: MemoryStore, record: JobRecord): void {
  store.workers.get(record.worker!)?.running.delete(record)
  record.worker = undefined
  const queue = store.queue(record.queue)
  queue.meter.running--
  const meter = record.key === undefined ? undefined : queue.keys.get(record.key)
  if (meter) meter.running--
}

/** Ends a job, frees its unique key and tells its parent. */
export function finish(store: MemoryStore, record: JobRecord, state: 'completed' | 'cancelled' | 'dead'): void {
  store.leaveLines(record)
  store.setState(record, state)
  record.finishedAt = store.now()
  record.isCancelAsked = false
  if (record.unique?.until === undefined) store.freeUnique(record)
  tellParent(store, record, state === 'completed')
}

/** A child ended, or is no more. */
export function tellParent(store: MemoryStore, child: JobRecord, hasSucceeded: boolean): void {
  const parent = child.parentId === undefined ? undefined : store.jobs.get(child.parentId)
  if (!parent) return
  parent.pendingChildren--
  if (parent.state !== 'pending') return
  if (!hasSucceeded && parent.onChildFailure === 'fail') {
    parent.error = `E_JOB_CHILD: its child ${child.id} of kind '${child.kind}' is ${child.state}`
    finish(store, parent, 'dead')
  } else if (parent.pendingChildren === 0) {
    parent.runAt = Math.max(parent.runAt, store.now())
    store.plan(parent, 'scheduled')
  }
}

/** Ends what does not run, asks what runs, and goes on with what is below. False for a job that has ended. */
export function cancelJob(store: MemoryStore, record: JobRecord): boolean {
  if (isFinal(record.state)) return false
  if (record.state === 'running') record.isCancelAsked = true
  else finish(store, record, 'cancelled')
  for (const id of record.childIds) {
    const child = store.jobs.get(id)
    if (child) cancelJob(store, child)
  }
  return true
}

/** Makes a job available that ended, or that waits for its time. False for any other. */
export function retryJob(store: MemoryStore, record: JobRecord): boolean {
  const { state } = record
  if (state === 'dead' || state === 'cancelled') revive(store, record)
  else if (state !== 'scheduled' && state !== 'retryable') return false
  record.runAt = store.now()
  if (record.pendingChildren > 0) store.setState(record, 'pending')
  else store.makeAvailable(record, store.now())
  return true
}

function revive(store: MemoryStore, record: JobRecord): void {
  record.attempt = 0
  record.crashes = 0
  record.finishedAt = undefined
  record.unique = undefined
  const parent = record.parentId === undefined ? undefined : store.jobs.get(record.parentId)
  if (parent) parent.pendingChildren++
}

function countMinute(store: MemoryStore, { queue }: JobRecord, hasSucceeded: boolean): void {
  const { minutes } = store.queue(queue)
  const at = store.now() - (store.now() % MINUTE)
  const minute = minutes.get(at) ?? { completed: 0, failed: 0 }
  minute[hasSucceeded ? 'completed' : 'failed']++
  minutes.set(at, minute)
  for (const old of minutes.keys()) if (old <= at - MINUTES_KEPT * MINUTE) minutes.delete(old)
}

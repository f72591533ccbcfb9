import type { MemoryQueue, Meter } from './queue.ts'
import { afterStart, waitOf } from './rate.ts'
import type { JobRecord, Place } from './record.ts'
import type { MemoryStore } from './store.ts'

/** Claims for one worker from one queue, as far as its limits allow. */
export function claimFrom(store: MemoryStore, queue: MemoryQueue, worker: string, count: number): JobRecord[] {
  const claimed: JobRecord[] = []
  const passedOver: Place[] = []
  while (claimed.length < count && queueWait(queue, store.now()) === 0) {
    const record = queue.available.shift()
    if (!record) break
    if (keyWait(queue, record, store.now()) > 0) passedOver.push(record.place!)
    else claimed.push(begin(store, queue, record, worker))
  }
  for (const place of passedOver) queue.available.add(place)
  return claimed
}

/** Milliseconds until a job of the queue may begin, if the line is not empty; infinite while only an end can change it. */
function queueWait({ isPaused, limits, meter }: MemoryQueue, now: number): number {
  if (isPaused || meter.running >= (limits.concurrency ?? Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY
  return limits.rate ? waitOf(limits.rate, meter.idleAt, now) : 0
}

function keyWait({ limits: { perKey }, keys }: MemoryQueue, { key }: JobRecord, now: number): number {
  const meter = key === undefined ? undefined : keys.get(key)
  if (!meter || !perKey) return 0
  if (meter.running >= (perKey.concurrency ?? Number.POSITIVE_INFINITY)) return Number.POSITIVE_INFINITY
  return perKey.rate ? waitOf(perKey.rate, meter.idleAt, now) : 0
}

function begin(store: MemoryStore, queue: MemoryQueue, record: JobRecord, worker: string): JobRecord {
  const now = store.now()
  queue.turns.serve(record, record.place!.turn)
  record.place = undefined
  store.setState(record, 'running')
  record.attempt++
  record.worker = worker
  record.startedAt = now
  record.progress = undefined
  store.workers.get(worker)!.running.add(record)
  start(queue.meter, queue.limits.rate, now)
  if (record.key !== undefined) start(meterOf(queue, record.key), queue.limits.perKey?.rate, now)
  return record
}

function start(meter: Meter, rate: { count: number; per: number } | undefined, now: number): void {
  meter.running++
  if (rate) meter.idleAt = afterStart(rate, meter.idleAt, now)
}

function meterOf({ keys }: MemoryQueue, key: string): Meter {
  let meter = keys.get(key)
  if (!meter) {
    meter = { running: 0, idleAt: 0 }
    keys.set(key, meter)
  }
  return meter
}

/** Milliseconds until the queue may have something to claim by itself: a job that becomes due, or a rate that allows one more. */
export function nextIn(queue: MemoryQueue, now: number): number {
  if (queue.isPaused) return Number.POSITIVE_INFINITY
  const due = (queue.later.first()?.runAt ?? Number.POSITIVE_INFINITY) - now
  return queue.available.first() ? Math.min(due, rateWait(queue, now)) : due
}

function rateWait(queue: MemoryQueue, now: number): number {
  const wait = queueWait(queue, now)
  const { rate } = queue.limits.perKey ?? {}
  if (wait > 0 || !rate) return wait
  // Of all keys, because which of them have jobs in line only a walk through the line would tell; a turn too many does no harm.
  const waits = [...queue.keys.values()].map(({ idleAt }) => waitOf(rate, idleAt, now)).filter((ms) => ms > 0)
  return waits.length > 0 ? Math.min(...waits) : Number.POSITIVE_INFINITY
}

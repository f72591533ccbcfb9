import { SPAN_SLOT, SPAN_SLOTS, type Turn, type TurnReply, type WorkPort } from '../../backend/work_port.ts'
import { type BucketCount, summed } from '../../histogram.ts'
import { claimFrom, nextIn } from './claim.ts'
import type { MemoryQueue } from './queue.ts'
import { claimedOf, type JobRecord } from './record.ts'
import type { MemoryStore, MemoryWorker } from './store.ts'
import { endAttempt, handBack, rescue } from './transitions.ts'

/** Jobs of one turn: memory has no limit of its own. */
const MAX_CLAIM = 10_000
/** Lines of a job that are kept. */
const MAX_LOGS = 1_000

/** What workers do in memory. */
export function memoryWork(store: MemoryStore): WorkPort {
  return {
    maxClaim: MAX_CLAIM,
    turn: async (turn) => takeTurn(store, turn),
    async report(worker, reports) {
      for (const { id, progress, logs = [] } of reports) {
        const record = store.jobs.get(id)
        if (record?.worker !== worker) continue
        if (progress !== undefined) record.progress = progress
        record.logs = [...record.logs, ...logs].slice(-MAX_LOGS)
      }
    },
    async observe(spans) {
      for (const { queue, waits, runs } of spans) observe(store, store.queue(queue), waits, runs)
    },
    async leave(worker) {
      for (const record of [...(store.workers.get(worker)?.running ?? [])].reverse()) handBack(store, record)
      store.workers.delete(worker)
    },
  }
}

function takeTurn(store: MemoryStore, { worker, lease, ends, wants, reconcile }: Turn): TurnReply {
  const refused = ends.filter((end) => !isOwned(store, worker, end.id, end.attempt))
  const told = new Set(refused)
  for (const end of ends) if (!told.has(end)) endAttempt(store, store.jobs.get(end.id)!, end)
  const self = renew(store, worker, lease)
  const queues = wants.map(({ queue }) => store.queue(queue))
  for (const queue of queues) promote(store, queue)
  const buried = rescueDead(store, new Set(queues.map(({ name }) => name)))
  const claimed = reconcile ? forgotten(self, new Set(reconcile)) : []
  for (const { queue, count } of wants) claimed.push(...claimFrom(store, store.queue(queue), worker, count))
  const next = Math.min(...queues.map((queue) => nextIn(queue, store.now())))
  return {
    claimed: claimed.map(claimedOf),
    refused: refused.map(({ id }) => id),
    lost: (reconcile ?? []).filter((id) => store.jobs.get(id)?.worker !== worker),
    cancelled: [...self.running].filter((record) => record.isCancelAsked).map(({ id }) => id),
    nextIn: next === Number.POSITIVE_INFINITY ? undefined : next,
    buried: buried.map(claimedOf),
  }
}

function observe(
  store: MemoryStore,
  { spans }: MemoryQueue,
  waits: readonly BucketCount[],
  runs: readonly BucketCount[],
): void {
  const slot = Math.floor(store.now() / SPAN_SLOT)
  const present = spans.get(slot) ?? { waits: [], runs: [] }
  spans.set(slot, { waits: summed([...present.waits, ...waits]), runs: summed([...present.runs, ...runs]) })
  for (const old of spans.keys()) if (old < slot - SPAN_SLOTS) spans.delete(old)
}

function isOwned(store: MemoryStore, worker: string, id: string, attempt: number): boolean {
  const record = store.jobs.get(id)
  return record?.worker === worker && record.attempt === attempt
}

function renew(store: MemoryStore, name: string, lease: number): MemoryWorker {
  const worker = store.workers.get(name) ?? { leaseUntil: 0, running: new Set() }
  worker.leaseUntil = store.now() + lease
  store.workers.set(name, worker)
  return worker
}

/** Makes available what has become due. */
export function promote(store: MemoryStore, queue: MemoryQueue): void {
  for (;;) {
    const record = queue.later.first()
    if (!record || record.runAt > store.now()) return
    store.makeAvailable(record, record.runAt)
  }
}

/** Takes jobs from workers whose lease has ended. @param queues undefined for all */
export function rescueDead(store: MemoryStore, queues?: ReadonlySet<string>): JobRecord[] {
  const buried: JobRecord[] = []
  for (const [name, worker] of store.workers) {
    if (worker.leaseUntil >= store.now()) continue
    for (const record of [...worker.running].reverse())
      if (!queues || queues.has(record.queue)) if (rescue(store, record)) buried.push(record)
    if (worker.running.size === 0) store.workers.delete(name)
  }
  return buried
}

/** What the worker was given and does not know of. */
const forgotten = ({ running }: MemoryWorker, known: ReadonlySet<string>) =>
  [...running].filter(({ id }) => !known.has(id))

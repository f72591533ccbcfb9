import { newId, sleep, systemClock } from '@tailwater/core'
import type { Jobs, JobsBackend, Kind } from '@tailwater/jobs'
import { SideProcess } from '../harness/side_process.ts'
import { createStormEngine, QUEUE } from './storm_engine.ts'
import { openStormPlace, type StormStore } from './storm_store.ts'
import type { StormLook, StormOrder } from './storm_worker.ts'
import { ATTEMPTS, type StormJob, type Tenant } from './tenants.ts'

/** How hard it blows. */
export interface StormPlan {
  tenants: readonly Tenant[]
  /** Whether tenants take turns and have a limit each. */
  fair: boolean
  /** Milliseconds in which jobs are enqueued. */
  duration: number
  /** Milliseconds between two looks. */
  every: number
}

/** One look in the course of a storm. */
export interface StormSample {
  heap: number
  rss: number
  /** Bytes of the store, and jobs in it. */
  bytes: number
  jobs: number
  /** Milliseconds that the job next in turn has waited. */
  lag: number
}

/** What a storm came to. */
export interface StormOutcome {
  samples: StormSample[]
  /** Of the moment at which enqueueing ended: what tenants had got until then. */
  during: StormLook['tenants']
  /** Milliseconds from the end of the enqueueing until nothing was left. */
  drained: number
  enqueued: Record<string, number>
}

/** Milliseconds that what is left may take. */
const PATIENCE = 900_000

/** Stores jobs that are due in hours, and lie in everybody's way. @returns bytes of each */
export async function storeDelayed(store: StormStore, count: number): Promise<number> {
  const { backend, close } = await openStormPlace(store.place)
  await backend.start()
  const before = await store.bytes()
  for (let stored = 0; stored < count; stored += backend.jobs.maxBatch)
    await backend.jobs.add(Array.from({ length: Math.min(backend.jobs.maxBatch, count - stored) }, delayedJob))
  const bytes = ((await store.bytes()) - before) / count
  await backend.stop()
  await close()
  return bytes
}

const delayedJob = () => ({
  id: newId(),
  queue: QUEUE,
  kind: 'storm',
  payload: '{"manner":"steady","ms":1}',
  priority: 128,
  maxAttempts: ATTEMPTS,
  delay: 36_000_000,
})

/** Plays a storm on a store. @throws when a job got lost, or ran too often or too seldom */
export async function playStorm(store: StormStore, plan: StormPlan): Promise<StormOutcome> {
  const { backend, close } = await openStormPlace(store.place)
  const { jobs, kind } = createStormEngine(backend, { concurrency: 0, fair: plan.fair }, async () => {})
  await jobs.start()
  const worker = new SideProcess<StormOrder, StormLook>('bench/storm/storm_worker.ts')
  try {
    await worker.run({ start: store.place, fair: plan.fair })
    const end = systemClock.elapsed() + plan.duration
    const enqueued: Record<string, number> = {}
    const samples: StormSample[] = []
    const looking = lookOn(store, backend, worker, { end, every: plan.every, samples })
    await Promise.all([looking, ...plan.tenants.map((tenant) => enqueue(kind, tenant, end, enqueued))])
    const { tenants: during } = await worker.run('look')
    const drained = await drain(jobs)
    const { tenants } = await worker.run('stop')
    check(plan, enqueued, tenants)
    return { samples, during, drained, enqueued }
  } finally {
    worker.close()
    await jobs.stop()
    await close()
  }
}

async function enqueue(
  kind: Kind<StormJob>,
  { name, manner, ms, count, every }: Tenant,
  end: number,
  enqueued: Record<string, number>,
): Promise<void> {
  enqueued[name] = 0
  for (let due = systemClock.elapsed(); due < end; due += every) {
    await sleep(systemClock, Math.max(0, due - systemClock.elapsed()))
    await kind.enqueueMany(
      Array.from({ length: count }, () => ({ manner, ms })),
      { key: name },
    )
    enqueued[name] += count
  }
}

async function lookOn(
  store: StormStore,
  { inspect }: JobsBackend,
  worker: SideProcess<StormOrder, StormLook>,
  { end, every, samples }: { end: number; every: number; samples: StormSample[] },
): Promise<void> {
  while (systemClock.elapsed() < end) {
    await sleep(systemClock, every)
    const [{ heap, rss }, bytes, { counts, oldestAvailable = 0 }] = [
      await worker.run('look'),
      await store.bytes(),
      await inspect.stats(QUEUE),
    ]
    const jobs = Object.values(counts).reduce((sum, count) => sum + count, 0)
    samples.push({ heap, rss, bytes, jobs, lag: oldestAvailable })
  }
}

/** Milliseconds until nothing is left but what is due in hours. */
async function drain(jobs: Jobs): Promise<number> {
  const from = systemClock.elapsed()
  for (;;) {
    const { available, running, retryable } = await jobs.counts(QUEUE)
    const ms = systemClock.elapsed() - from
    if (available + running + retryable === 0) return ms
    if (ms > PATIENCE) throw new Error(`${available + running + retryable} jobs are left after ${PATIENCE} ms`)
    await sleep(systemClock, 50)
  }
}

function check({ tenants }: StormPlan, enqueued: Record<string, number>, found: StormLook['tenants']): void {
  for (const { name, manner } of tenants) {
    const wanted = enqueued[name]! * (manner === 'failing' ? ATTEMPTS : 1)
    const { attempts = 0 } = found[name] ?? {}
    if (attempts !== wanted) throw new Error(`${name} had ${attempts} attempts instead of ${wanted}`)
  }
}

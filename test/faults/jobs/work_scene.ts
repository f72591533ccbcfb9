import { join } from 'node:path'
import { after } from 'node:test'
import { sleep, systemClock } from '@tailwater/core'
import { finalStates, type Jobs, type JobsBackend, jobStates, type Kind } from '@tailwater/jobs'
import type { Redis } from '@tailwater/redis'
import { temporaryFolder } from '../../../apps/merchant/test/program/program.ts'
import { randomIntegers } from '../random.ts'
import { type JobStore, openJobStore } from './job_store.ts'
import { loadJobsPackage } from './jobs_package.ts'
import { isAway, newProduced, type Produced, produce } from './producer.ts'
import { createWork, type Work } from './work.ts'
import { auditWork, type WorkAudit } from './work_audit.ts'
import { WorkJournal } from './work_journal.ts'
import { WorkerCrew } from './worker_crew.ts'

export type Random = (low: number, high: number) => number

/** What may be struck. */
export interface Stage {
  crew: WorkerCrew
  journal: WorkJournal
  produced: Produced
  random: Random
}

/** A run with workers in processes of their own, a producer, and things that go wrong. */
export interface WorkScene {
  /** How workers reach the store. */
  store: JobStore
  /** How the producer reaches it. @default as the workers */
  producerStore?: JobStore
  seed: number
  /** Jobs to be confirmed. */
  total: number
  workers: number
  /** Another version of the jobs package, which the producer and so many more workers have. */
  other?: { source: string; workers: number }
  /** Jobs that the producer may be ahead of the workers, so that both go on at the same time. @default 1,000 */
  ahead?: number
  /** What goes wrong, one after the other, spread evenly over the work. */
  strikes: readonly ((stage: Stage) => Promise<unknown>)[]
}

/** What came of it. */
export interface WorkOutcome {
  audit: WorkAudit
  produced: Produced
  /** Worker processes that ended though nobody killed them. */
  deaths: number
}

const CONCURRENCY = 10
/** Milliseconds; long enough for a worker of a busy machine to be heard in time. */
const LEASE = 3_000

/** Plays a scene to its end: all confirmed, all jobs in a final state. `look` sees the store before the way to it is closed. */
export async function playWork(scene: WorkScene, look?: (redis: Redis) => Promise<void>): Promise<WorkOutcome> {
  const { store } = scene
  const folder = temporaryFolder()
  after(() => folder.remove())
  const path = join(folder.path, 'journal')
  const journal = new WorkJournal(path)
  const crew = new WorkerCrew({ store, journal: path, concurrency: CONCURRENCY, lease: LEASE })
  const version = await loadJobsPackage(scene.other?.source)
  const { backend, redis, close } = await openJobStore(scene.producerStore ?? store, version)
  try {
    const { jobs, work } = createWork(backend, { concurrency: 0, lease: LEASE }, undefined, version)
    await jobs.start()
    await crew.add(scene.workers)
    if (scene.other) await crew.add(scene.other.workers, { source: scene.other.source })
    const stage = { crew, journal, produced: newProduced(), random: randomIntegers(scene.seed) }
    await enqueueAmid(scene, stage, jobs, work)
    await allEnded(backend)
    const audit = await auditWork(backend, stage.produced, journal.refresh())
    if (redis) await look?.(redis)
    await jobs.stop()
    return { audit, produced: stage.produced, deaths: crew.deaths }
  } finally {
    await crew.end()
    await close()
    journal.close()
  }
}

/** Enqueues, and strikes amid the work. */
async function enqueueAmid(
  { total, strikes, ahead = 1_000 }: WorkScene,
  stage: Stage,
  jobs: Jobs,
  work: Kind<Work>,
): Promise<void> {
  const { journal, produced, random } = stage
  // What a strike may have lost is never finished, and not waited for.
  let gone = 0
  const isAhead = (confirmed: number) => confirmed - gone > journal.refresh().finished.size + ahead
  const producing = produce({ jobs, work, random, total, isAhead }, produced)
  for (const [at, strike] of strikes.entries()) {
    const target = Math.floor((total * (at + 1)) / (strikes.length + 1))
    while (journal.refresh().finished.size < target) await sleep(systemClock, 10)
    await strike(stage)
    gone = Math.max(gone, produced.confirmed.size - journal.refresh().finished.size)
  }
  while (!(await isSettled(producing))) journal.refresh()
}

/** False when it takes longer than a moment. */
function isSettled(work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), sleep(systemClock, 20).then(() => false)])
}

/** Resolves when every job is in a final state. */
export async function allEnded({ inspect }: JobsBackend): Promise<void> {
  for (;;) {
    const counts = await inspect.counts().catch((error: unknown) => {
      if (!isAway(error)) throw error
    })
    if (counts && jobStates.every((state) => counts[state] === 0 || finalStates.includes(state))) return
    await sleep(systemClock, 100)
  }
}

/** The figures of an audit for a report. */
export function figuresOf(audit: WorkAudit): Record<string, number> {
  return Object.fromEntries(
    Object.entries(audit).map(([name, found]) => [name, Array.isArray(found) ? found.length : found]),
  )
}

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { sleep, systemClock } from '@tailwater/core'
import type { JobsBackend } from '@tailwater/jobs'
import { temporaryFolder } from '../../../apps/merchant/test/program/program.ts'
import { record, seeds } from '../journal.ts'
import { randomIntegers } from '../random.ts'
import { openJobStore } from './job_store.ts'
import { type KilledStore, startKilledPostgres, startKilledRedis } from './killed_store.ts'
import { createWork, type Work } from './work.ts'
import { allJobs } from './work_audit.ts'
import { WorkJournal } from './work_journal.ts'
import { allEnded } from './work_scene.ts'
import { WorkerCrew } from './worker_crew.ts'

/** Milliseconds after which the jobs of a worker that is silent must run elsewhere, with the settings that everybody has. */
const RESCUED = 30_000
const JOBS = 24
const CONCURRENCY = 3
const MINUTES_10 = 600_000

/** Resolves when a condition of the journal holds. */
async function until(journal: WorkJournal, holds: () => boolean): Promise<void> {
  while (!holds()) {
    await sleep(systemClock, 10)
    journal.refresh()
  }
}

async function play(killed: KilledStore, seed: number): Promise<void> {
  const random = randomIntegers(seed)
  const folder = temporaryFolder()
  after(() => folder.remove())
  const path = join(folder.path, 'journal')
  const journal = new WorkJournal(path)
  const { backend, close } = await openJobStore(killed.store)
  const { jobs, work } = createWork(backend, { concurrency: 0 })
  await jobs.start()
  const crew = new WorkerCrew({ store: killed.store, journal: path, concurrency: CONCURRENCY })
  after(() => crew.end())
  await Promise.all([crew.add(2), crew.add(1, { clockOffset: MINUTES_10 }), crew.add(1, { clockOffset: -MINUTES_10 })])
  const payloads = (count: number): Work[] =>
    Array.from({ length: count }, (_, n) => ({ n, ms: random(3_000, 5_000), failures: 0, fate: 'well' }))
  await work.enqueueMany(payloads(JOBS))
  const pids = Array.from({ length: crew.size }, (_, at) => crew.pid(at))
  const begins = (pid: number) => journal.lines.filter((line) => line.what === 'begin' && line.pid === pid)
  await until(journal, () => pids.every((pid) => begins(pid).length === CONCURRENCY))

  // One is frozen, one of those with a wrong clock is killed.
  const victims = [0, random(2, 3)]
  const silent = victims.flatMap((at) => begins(pids[at]!).map(({ id }) => id))
  const struckAt = systemClock.elapsed()
  crew.freeze(victims[0]!)
  await crew.kill(victims[1]!)
  const isRescued = (id: string) =>
    journal.lines.some((line) => line.what === 'begin' && line.id === id && line.attempt === 2)
  await until(journal, () => silent.every(isRescued))
  const rescuedAfter = systemClock.elapsed() - struckAt

  crew.thaw(victims[0]!)
  const frozen = pids[victims[0]!]!
  await until(journal, () => silentEnds(journal, frozen) === CONCURRENCY)
  // What it begins now shows that it has taken turns since, and told its late ends.
  await work.enqueueMany(payloads(JOBS))
  await until(journal, () => begins(frozen).length > CONCURRENCY)
  await allEnded(backend)
  await check(backend, journal.refresh(), silent)
  await crew.end()
  await jobs.stop()
  await close()
  record({
    fault: `workers frozen and killed, clocks 10 minutes off, ${killed.name}`,
    seed,
    mustHold: 'Their jobs run elsewhere within 30 s; late ends are refused; nothing completes twice.',
    figures: {
      'jobs of silent workers': silent.length,
      'rescued after ms': Math.round(rescuedAfter),
      'late ends': CONCURRENCY,
    },
  })
  assert.ok(rescuedAfter <= RESCUED, `rescued after ${rescuedAfter} ms`)
}

/** Late ends of a worker that was frozen. */
function silentEnds(journal: WorkJournal, pid: number): number {
  return journal.lines.filter((line) => line.what === 'end' && line.pid === pid).length
}

/** Each job completed once, in the attempt that the store says, with what that attempt brought. */
async function check(backend: JobsBackend, journal: WorkJournal, silent: readonly string[]): Promise<void> {
  const all = await allJobs(backend)
  assert.equal(all.length, 2 * JOBS)
  for (const { id, state, attempt, crashes, result } of all) {
    const isSilent = silent.includes(id)
    assert.deepEqual([state, attempt, crashes], ['completed', isSilent ? 2 : 1, isSilent ? 1 : 0])
    const end = journal.lines.find((line) => line.what === 'end' && line.id === id && line.attempt === attempt)
    assert.equal(result, String(end?.pid), 'the result of the attempt that counts')
  }
  const counts = await backend.inspect.counts()
  assert.equal(counts.completed, 2 * JOBS)
}

for (const seed of seeds([20261130, 6]))
  for (const open of [startKilledRedis, startKilledPostgres])
    it(`jobs of a frozen worker, and of one with a wrong clock, run elsewhere in time on ${open === startKilledRedis ? 'Redis' : 'PostgreSQL'} (seed ${seed})`, async () => {
      const killed = await open()
      after(() => killed.stop())
      await play(killed, seed)
    })

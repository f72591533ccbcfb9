import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { temporaryFolder } from '../../../apps/merchant/test/program/program.ts'
import { record, seeds } from '../journal.ts'
import { openJobStore } from './job_store.ts'
import { type KilledStore, startKilledPostgres, startKilledRedis } from './killed_store.ts'
import { createWork, type Work } from './work.ts'
import { allJobs } from './work_audit.ts'
import { WorkJournal } from './work_journal.ts'
import { allEnded } from './work_scene.ts'
import { WorkerCrew } from './worker_crew.ts'

const POISONS = 2
const MATES = 30
/** Milliseconds. */
const LEASE = 1_500
/** So long that those who run beside a poison never end before it strikes. */
const LONG = 1_000

async function play(killed: KilledStore, seed: number): Promise<void> {
  const folder = temporaryFolder()
  after(() => folder.remove())
  const path = join(folder.path, 'journal')
  const journal = new WorkJournal(path)
  const { backend, close } = await openJobStore(killed.store)
  const { jobs, work } = createWork(backend, { concurrency: 0, lease: LEASE })
  await jobs.start()
  const of = (fate: Work['fate'], count: number): Work[] =>
    Array.from({ length: count }, (_, n) => ({ n, ms: LONG, failures: 0, fate }))
  const poisoned = await work.enqueueMany(of('poison', POISONS))
  const mates = await work.enqueueMany(of('well', MATES))
  const crew = new WorkerCrew({ store: killed.store, journal: path, concurrency: 10, lease: LEASE })
  after(() => crew.end())
  await crew.add(2)
  await allEnded(backend)
  await crew.end()

  const found = new Map((await allJobs(backend)).map((job) => [job.id, job]))
  const dead = poisoned.map(({ id }) => found.get(id)!)
  const burnt = mates.filter(({ id }) => found.get(id)!.state !== 'completed')
  record({
    fault: `a poison payload that ends its process, ${killed.name}`,
    seed,
    mustHold: 'The poison ends as a dead letter; what ran beside it does not.',
    figures: {
      poisons: POISONS,
      'workers killed by it': crew.deaths,
      mates: MATES,
      burnt: burnt.length,
      'attempts of mates': journal
        .refresh()
        .lines.filter(({ what, id }) => what === 'begin' && !dead.some((job) => job.id === id)).length,
    },
  })
  await jobs.stop()
  await close()
  for (const { state, error } of dead) {
    assert.equal(state, 'dead')
    assert.match(error ?? '', /^E_JOB_POISON/)
  }
  assert.deepEqual(burnt, [])
}

for (const seed of seeds([1]))
  for (const open of [startKilledRedis, startKilledPostgres])
    it(`a poison payload on ${open === startKilledRedis ? 'Redis' : 'PostgreSQL'} ends as a dead letter, and what ran beside it does not`, async () => {
      const killed = await open()
      after(() => killed.stop())
      await play(killed, seed)
    })

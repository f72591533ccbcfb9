import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { type KilledStore, startKilledPostgres, startKilledRedis } from '../faults/jobs/killed_store.ts'
import { figuresOf, playWork, type Stage } from '../faults/jobs/work_scene.ts'
import { record, seeds } from '../faults/journal.ts'
import { makeNextVersion, migrateToNext } from './next_version.ts'

const TOTAL = process.env['TAILWATER_TEST_ALL_SEEDS'] ? 6_000 : 1_000
const WORKERS = 2
const KILLS = 2

async function play(killed: KilledStore, seed: number): Promise<void> {
  const next = makeNextVersion()
  after(() => next.remove())
  const strike = ({ crew, random }: Stage) => crew.kill(random(0, crew.size - 1))
  const { audit, produced, deaths } = await playWork({
    store: killed.store,
    seed,
    total: TOTAL,
    workers: WORKERS,
    other: { source: next.source, workers: 1 },
    strikes: Array.from({ length: KILLS }, () => strike),
  })
  record({
    fault: `enqueuers of the next version, workers of this one and of the next, ${killed.name}`,
    seed,
    mustHold: 'Versions live together: no job is lost, none done twice but by a kill.',
    figures: { 'workers killed': KILLS, ...figuresOf(audit) },
  })
  assert.deepEqual(produced.surprises, [])
  assert.deepEqual([audit.lost, audit.forgotten, audit.unfinished, audit.astray], [[], [], [], []])
  assert.deepEqual([audit.unexplained, audit.doubled], [[], []])
  assert.equal(deaths, 0, 'a worker died that nobody killed')
}

for (const seed of seeds([20261202])) {
  it('workers of this version do what enqueuers of the next one store in Redis', async () => {
    const killed = await startKilledRedis()
    after(() => killed.stop())
    await play(killed, seed)
  })

  it('workers of this version do what enqueuers of the next one store in PostgreSQL', async () => {
    const killed = await startKilledPostgres()
    after(() => killed.stop())
    const { store } = killed
    if ('database' in store) await migrateToNext(store.database, store.schema)
    await play(killed, seed)
  })
}

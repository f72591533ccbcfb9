import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { auditKeys } from '../../../packages/jobs/test/backends/redis/key_audit.ts'
import { record, seeds } from '../journal.ts'
import { randomIntegers } from '../random.ts'
import { type KilledStore, startKilledPostgres, startKilledRedis } from './killed_store.ts'
import { figuresOf, playWork, type Stage } from './work_scene.ts'

const MUST_HOLD = 'No confirmed job lost; duplicates counted and explained; every job ends in a final state.'
/** Jobs, and kills of workers, of each seed of a whole run; `npm test` makes do with a sample of both. Beside them the store is killed once. */
const WHOLE = { total: 12_000, kills: 12 }
const SAMPLE = { total: 2_000, kills: 4 }
const { total, kills } = process.env['TAILWATER_TEST_ALL_SEEDS'] ? WHOLE : SAMPLE

const WORKERS = 4

async function play(killed: KilledStore, seed: number): Promise<void> {
  const killWorker = ({ crew, random }: Stage) => crew.kill(random(0, WORKERS - 1))
  const strikes: ((stage: Stage) => Promise<unknown>)[] = Array.from({ length: kills }, () => killWorker)
  strikes.splice(randomIntegers(seed)(1, kills - 1), 0, () => killed.killAndRestart())
  const { audit, produced, deaths } = await playWork(
    {
      store: killed.store,
      seed,
      total,
      workers: WORKERS,
      strikes,
    },
    auditKeys,
  )
  record({
    fault: `kill -9 of workers and of ${killed.name} amid jobs`,
    seed,
    mustHold: MUST_HOLD,
    figures: { 'workers killed': kills, 'store killed': 1, ...figuresOf(audit) },
  })
  assert.deepEqual(produced.surprises, [])
  assert.deepEqual([audit.lost, audit.forgotten, audit.unfinished, audit.astray], [[], [], [], []])
  assert.deepEqual([audit.unexplained, audit.doubled], [[], []])
  assert.equal(new Set(produced.confirmed.values()).size, total)
  assert.ok(audit.unconfirmed <= produced.doubtful.size, 'a job that nobody enqueued')
  assert.equal(deaths, 0, 'a worker died that nobody killed')
}

for (const seed of seeds([20261126, 3, 77])) {
  it(`no kill -9 of workers or of Redis loses a confirmed job (seed ${seed})`, async () => {
    const killed = await startKilledRedis()
    after(() => killed.stop())
    await play(killed, seed)
  })

  it(`no kill -9 of workers or of PostgreSQL loses a confirmed job (seed ${seed})`, async () => {
    const killed = await startKilledPostgres()
    after(() => killed.stop())
    await play(killed, seed)
  })
}

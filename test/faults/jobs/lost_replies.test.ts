import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { auditKeys } from '../../../packages/jobs/test/backends/redis/key_audit.ts'
import { record, seeds } from '../journal.ts'
import type { JobStore } from './job_store.ts'
import { type KilledStore, startKilledPostgres, startKilledRedis } from './killed_store.ts'
import { type LossyWire, startLossyWire } from './lossy_wire.ts'
import { figuresOf, playWork, type Stage } from './work_scene.ts'

const MUST_HOLD =
  'What a server did and could not say of it is neither lost nor done twice; no attempt is given to two workers.'
/** Jobs, and replies that are lost. */
const WHOLE = { total: 6_000, losses: 60 }
const SAMPLE = { total: 1_500, losses: 15 }
const { total, losses } = process.env['TAILWATER_TEST_ALL_SEEDS'] ? WHOLE : SAMPLE
const WORKERS = 3

/** The store as it is reached over a wire. */
function over({ port }: LossyWire, store: JobStore): JobStore {
  const led = (url: string) => Object.assign(new URL(url), { port: String(port) }).href
  if ('redis' in store) return { ...store, redis: { ...store.redis, url: led(store.redis.url!) } }
  return { ...store, database: led(store.database) }
}

function portOf(store: JobStore): number {
  return Number(new URL('redis' in store ? store.redis.url! : store.database).port)
}

async function play(killed: KilledStore, seed: number): Promise<void> {
  const [forWorkers, forProducer] = [
    await startLossyWire(portOf(killed.store)),
    await startLossyWire(portOf(killed.store)),
  ]
  after(() => Promise.all([forWorkers.close(), forProducer.close()]))
  // One in three of the producer's, and now and then one that leaves its client waiting.
  const strike = ({ random }: Stage) =>
    (random(1, 3) === 1 ? forProducer : forWorkers).lose(random(1, 10) === 1 ? 'silent' : 'cut')
  const { audit, produced, deaths } = await playWork(
    {
      store: over(forWorkers, killed.store),
      producerStore: over(forProducer, killed.store),
      seed,
      total,
      workers: WORKERS,
      strikes: Array.from({ length: losses }, () => strike),
    },
    auditKeys,
  )
  record({
    fault: `replies of ${killed.name} lost on the way`,
    seed,
    mustHold: MUST_HOLD,
    figures: { 'replies lost': losses, ...figuresOf(audit) },
  })
  assert.deepEqual(produced.surprises, [])
  assert.deepEqual([audit.lost, audit.forgotten, audit.unfinished, audit.astray], [[], [], [], []])
  assert.deepEqual([audit.unexplained, audit.doubled], [[], []])
  assert.equal(deaths, 0, 'a worker died that nobody killed')
}

for (const seed of seeds([20261129, 4]))
  for (const open of [startKilledRedis, startKilledPostgres])
    it(`replies of ${open === startKilledRedis ? 'Redis' : 'PostgreSQL'} that are lost lose no job, and give none to two (seed ${seed})`, async () => {
      const killed = await open()
      after(() => killed.stop())
      await play(killed, seed)
    })

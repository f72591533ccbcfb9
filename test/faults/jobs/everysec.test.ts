import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { systemClock } from '@tailwater/core'
import { auditKeys } from '../../../packages/jobs/test/backends/redis/key_audit.ts'
import { record, seeds } from '../journal.ts'
import { AppendFile } from './append_file.ts'
import { startKilledRedis } from './killed_store.ts'
import { figuresOf, playWork } from './work_scene.ts'

const TOTAL = process.env['TAILWATER_TEST_ALL_SEEDS'] ? 12_000 : 2_000
const WORKERS = 3
/** Few, so that jobs are enqueued right up to the death. */
const AHEAD = 300
/** Milliseconds between two flushes to the disk. */
const EVERYSEC = 1_000
/** Milliseconds by which a confirmation, or our look at the file, may be late. */
const LATE = 500

/** What a death of the server takes with it. @param lastMs of what it had written; 0 when only the process dies */
async function play(seed: number, lastMs: number): Promise<void> {
  const killed = await startKilledRedis(['--appendfsync', 'everysec'])
  after(() => killed.stop())
  const { server } = killed
  const file = await AppendFile.of(server)
  let diedAt = 0
  const strike = async () => {
    await server.kill()
    file.stop()
    diedAt = systemClock.elapsed()
    if (lastMs > 0) file.cutLast(lastMs)
    await server.restart()
  }
  const { audit, produced } = await playWork(
    {
      store: killed.store,
      seed,
      total: TOTAL,
      workers: WORKERS,
      ahead: AHEAD,
      strikes: [strike],
    },
    auditKeys,
  )
  const gone = [...audit.lost, ...audit.forgotten]
  const window = gone.reduce((most, id) => Math.max(most, diedAt - produced.confirmedAt.get(id)!), 0)
  record({
    fault: 'Redis with appendfsync everysec dies amid jobs',
    seed,
    mustHold:
      'What is lost is counted, and was confirmed within a second of the death; of what is left every job ends.',
    figures: {
      dies: lastMs > 0 ? 'the machine' : 'the process',
      'window ms': Math.round(window),
      ...figuresOf(audit),
    },
  })
  assert.deepEqual(produced.surprises, [])
  assert.deepEqual([audit.unfinished, audit.astray], [[], []])
  assert.ok(window <= lastMs + LATE, `a job is lost that was confirmed ${window} ms before`)
}

for (const seed of seeds([20261201, 2])) {
  it(`with everysec a kill -9 of Redis loses nothing that it had written to its file (seed ${seed})`, () =>
    play(seed, 0))

  it(`with everysec the death of the machine loses no more than the last second, and leaves no half jobs (seed ${seed})`, () =>
    play(seed, EVERYSEC))
}

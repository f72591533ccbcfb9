import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasCode } from '@tailwater/core'
import type { RunningJob } from '@tailwater/jobs'
import { engine, nextAttempt, nextTurn } from './testing/engine.ts'

it('jobs that are claimed together run together, no more than a batch may have', async () => {
  const { jobs } = engine({ queues: { bulk: { concurrency: 100 } } })
  const sizes: number[] = []
  const kind = jobs.define<number, number, number>({
    kind: 'together',
    queue: 'bulk',
    batch: { size: 40 },
    async runBatch(lot) {
      sizes.push(lot.length)
      return lot.map(({ payload }) => payload * 2)
    },
  })
  const stored = await kind.enqueueMany(Array.from({ length: 100 }, (_, n) => n))
  const done = nextTurn(({ ended }) => ended === 100)
  await jobs.start()
  await done
  assert.deepEqual(sizes, [40, 40, 20])
  assert.equal((await jobs.inspect.get(stored[7]!.id))?.result, 14)
})

it('an error in the place of a result fails that job alone', async () => {
  const { jobs } = engine()
  const kind = jobs.define<number, number, string>({
    kind: 'partly',
    attempts: 1,
    runBatch: async (lot) => lot.map(({ payload }) => (payload === 2 ? new Error('not two') : 'fine')),
  })
  const stored = await kind.enqueueMany([1, 2, 3])
  const done = nextTurn(({ ended }) => ended === 3)
  await jobs.start()
  await done
  const states = await Promise.all(stored.map(async ({ id }) => (await jobs.inspect.get(id))?.state))
  assert.deepEqual(states, ['completed', 'dead', 'completed'])
})

it('a batch that throws fails all its jobs, one that returns nothing completes them', async () => {
  const { jobs } = engine()
  const failing = jobs.define<number>({
    kind: 'failing',
    attempts: 1,
    async runBatch() {
      throw new Error('all of it')
    },
  })
  const silent = jobs.define<number>({ kind: 'silent', runBatch: async () => {} })
  await failing.enqueueMany([1, 2])
  await silent.enqueueMany([1, 2])
  const done = nextTurn(({ ended }) => ended === 4)
  await jobs.start()
  await done
  const { dead, completed } = await jobs.counts()
  assert.deepEqual([dead, completed], [2, 2])
})

it('a batch with another number of results than jobs fails with a code', async () => {
  const { jobs } = engine()
  const kind = jobs.define<number>({ kind: 'miscounted', runBatch: async () => [1] })
  await kind.enqueueMany([1, 2])
  const attempt = nextAttempt('miscounted')
  await jobs.start()
  const { outcome, error } = await attempt
  assert.equal(outcome, 'dead')
  assert.ok(hasCode(error, 'E_JOB_KIND'))
})

it('a batch may wait for more jobs to join it', async () => {
  const { jobs, clock } = engine()
  const lots: number[][] = []
  const kind = jobs.define<number>({
    kind: 'patient',
    batch: { size: 3, wait: '2s' },
    runBatch: async (lot) => void lots.push(lot.map(({ payload }) => payload)),
  })
  await jobs.start()
  for (const [payload, wait] of [
    [1, 500],
    [2, 1_499],
  ] as const) {
    const claimed = nextTurn((turn) => turn.claimed === 1)
    await kind.enqueue(payload)
    await claimed
    await clock.advance(wait)
  }
  assert.deepEqual(lots, [])
  await clock.advance(1)
  assert.deepEqual(lots, [[1, 2]])
  const full = nextTurn((turn) => turn.claimed === 3)
  await kind.enqueueMany([3, 4, 5])
  await full
  assert.deepEqual(lots.at(-1), [3, 4, 5])
  await jobs.stop()
  assert.equal(clock.pending, 0)
})

it('each job of a batch has its own signal, log and attempts', async () => {
  const { jobs, clock } = engine()
  const gate = Promise.withResolvers<void>()
  let seen: readonly RunningJob<number>[] = []
  const kind = jobs.define<number>({
    kind: 'apart',
    async runBatch(lot) {
      seen = lot
      lot[0]!.log('first')
      await gate.promise
      return lot.map(({ signal }) => (signal.aborted ? (signal.reason as Error) : 'done'))
    },
  })
  const stored = await kind.enqueueMany([1, 2])
  const claimed = nextTurn((turn) => turn.claimed === 2)
  await jobs.start()
  await claimed
  await jobs.operate.cancel(stored[1]!.id)
  await clock.advance(10_000)
  assert.deepEqual(
    seen.map(({ signal }) => signal.aborted),
    [false, true],
  )
  const done = nextTurn(({ ended }) => ended === 2)
  gate.resolve()
  await done
  const states = await Promise.all(stored.map(async ({ id }) => (await jobs.inspect.get(id))?.state))
  assert.deepEqual(states, ['completed', 'cancelled'])
  assert.deepEqual(await jobs.inspect.logs(stored[0]!.id), ['first'])
})

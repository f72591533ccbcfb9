import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { stressLifecycle } from '@tailwater/core/testing'
import { engine, nextTurn } from '../testing/engine.ts'

it('stopping waits for what runs, claims nothing more, and leaves no timer behind', async () => {
  const { jobs, clock } = engine({ queues: { one: { concurrency: 1 } } })
  const gate = Promise.withResolvers<void>()
  const kind = jobs.define<null>({ kind: 'drained', queue: 'one', run: () => gate.promise })
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  const [first, second] = await kind.enqueueMany([null, null])
  await begun
  const stopped = jobs.stop()
  gate.resolve()
  await stopped
  assert.equal((await jobs.inspect.get(first!.id))?.state, 'completed')
  assert.deepEqual(await jobs.counts('one').then(({ available }) => available), 1)
  assert.equal((await jobs.inspect.get(second!.id))?.attempt, 0)
  assert.equal(clock.pending, 0)
})

it('what has not ended by the deadline of a stop is told to, and given back without counting the attempt', async () => {
  const { jobs, clock } = engine()
  const signal = Promise.withResolvers<AbortSignal>()
  const kind = jobs.define<null>({
    kind: 'endless',
    run(job) {
      signal.resolve(job.signal)
      return new Promise(() => {})
    },
  })
  await jobs.start()
  const id = await kind.enqueue(null)
  const told = await signal.promise
  const stopped = jobs.stop(clock.elapsed() + 5_000)
  await clock.advance(5_000)
  await stopped
  assert.ok(hasCode(told.reason, 'E_JOB_STOPPING'))
  const job = await jobs.inspect.get(id)
  assert.deepEqual([job?.state, job?.attempt, job?.worker], ['available', 0, undefined])
  assert.equal(clock.pending, 0)
})

it('starts and stops in any order', async () => {
  const { jobs, clock } = engine()
  jobs.define({ kind: 'stressed', run: async () => {} })
  await stressLifecycle(jobs)
  assert.equal(clock.pending, 0)
})

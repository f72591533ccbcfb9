import assert from 'node:assert/strict'
import { it } from 'node:test'
import { engine, nextAttempt } from '../testing/engine.ts'

it('a job that the store takes for running here, and that is not, runs within a lease though no turn has failed', async () => {
  const { jobs, clock, backend } = engine({ owner: 'me', lease: '30s', pollInterval: '5s' })
  const kind = jobs.define<null>({ kind: 'forgotten', run: async () => {} })
  await jobs.start()
  await jobs.queue('default').pause()
  const id = await kind.enqueue(null)
  // What a server says whose successor has not heard that it was ended.
  await jobs.queue('default').resume()
  const { claimed } = await backend.work.turn({
    worker: 'me',
    lease: 30_000,
    ends: [],
    wants: [{ queue: 'default', count: 1 }],
  })
  assert.deepEqual([claimed[0]?.id, (await jobs.counts()).running], [id, 1])
  const ended = nextAttempt('forgotten')
  for (let seconds = 0; seconds <= 35; seconds += 5) await clock.advance(5_000)
  const { jobId, attempt, outcome } = await ended
  assert.deepEqual([jobId, attempt, outcome], [id, 1, 'completed'])
  assert.equal((await jobs.counts()).completed, 1)
})

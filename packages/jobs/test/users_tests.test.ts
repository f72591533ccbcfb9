import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertEnqueued, drain } from '@tailwater/jobs/testing'
import { engine } from './testing/engine.ts'

it('a test sees what was enqueued, by kind, part of the payload, and number', async () => {
  const { jobs } = engine()
  const kind = jobs.define<{ orderId: number; to?: string }>({ kind: 'receipt', run: () => 0 })
  await kind.enqueue({ orderId: 7, to: 'ann' })
  await kind.enqueue({ orderId: 8, to: 'ann' })
  const found = await assertEnqueued(jobs, { kind: 'receipt', payload: { to: 'ann' }, count: 2 })
  assert.deepEqual(
    found.map(({ payload }) => payload),
    [
      { orderId: 8, to: 'ann' },
      { orderId: 7, to: 'ann' },
    ],
  )
  await assertEnqueued(jobs, { kind: 'receipt', count: 2, states: ['available'] })
  await assertEnqueued(jobs, { kind: 'other', count: 0 })
  await assert.rejects(assertEnqueued(jobs, { kind: 'receipt', payload: { orderId: 9 } }), /found 0.*"orderId":8/s)
  await assert.rejects(assertEnqueued(jobs, { kind: 'receipt', count: 1 }), /expected 1 jobs/)
})

it('draining runs what is available and what comes of it, and leaves what waits for its time', async () => {
  const { jobs, clock } = engine({ queues: { slow: { limits: { rate: { count: 1, per: '1m' } } } } })
  const child = jobs.define<number>({ kind: 'child', queue: 'slow', run: () => 0 })
  const parent = jobs.define<number>({
    kind: 'parent',
    async run({ payload }) {
      if (payload === 2) throw new Error('two')
      await child.enqueueMany([1, 2])
    },
  })
  await parent.enqueueMany([1, 2])
  await parent.enqueue(3, { delay: '1h' })
  const { completed, retryable, errors } = await drain(jobs)
  assert.deepEqual([completed, retryable, errors.map(({ message }) => message)], [2, 1, ['two']])
  const { available, scheduled } = await jobs.counts()
  assert.deepEqual([available, scheduled], [1, 1])
  await clock.advance(3_600_000)
  const second = await drain(jobs)
  assert.deepEqual([second.completed, second.retryable], [2, 1])
})

it('draining where there is nothing comes to an end', async () => {
  const { jobs, clock } = engine()
  const { completed } = await drain(jobs)
  assert.deepEqual([completed, clock.pending], [0, 0])
  await assert.rejects(drain({} as never), /createJobs/)
})

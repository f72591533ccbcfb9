import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { type Backoff, resolveBackoff } from '../../src/run/backoff.ts'

const error = new Error('no')
const waits = (backoff: Backoff | undefined, random = 0) => {
  const wait = resolveBackoff(backoff, 'backoff', () => random)
  return [1, 2, 3, 4, 20].map((attempt) => wait(attempt, error))
}

it('waits double, grow, or stay the same, up to the longest', () => {
  assert.deepEqual(waits({ type: 'exponential', delay: '1s', max: '10s' }), [1_000, 2_000, 4_000, 8_000, 10_000])
  assert.deepEqual(waits({ type: 'linear', delay: 500 }), [500, 1_000, 1_500, 2_000, 10_000])
  assert.deepEqual(waits({ type: 'fixed', delay: '3s' }), [3_000, 3_000, 3_000, 3_000, 3_000])
})

it('who says nothing waits 1, 2, 4 … seconds, at most ten minutes, and up to a quarter more by chance', () => {
  assert.deepEqual(waits(undefined), [1_000, 2_000, 4_000, 8_000, 600_000])
  assert.deepEqual(waits(undefined, 1), [1_250, 2_500, 5_000, 10_000, 750_000])
  assert.deepEqual(waits({ type: 'fixed', delay: 1_000, jitter: 1 }, 0.5), Array(5).fill(1_500))
})

it('a function decides by attempt and error', () => {
  const wait = resolveBackoff((attempt, { message }) => (message === 'no' ? attempt * 10 : '1m'))
  assert.deepEqual([wait(3, error), wait(3, new Error('yes'))], [30, 60_000])
})

it('a backoff that is none is refused', () => {
  for (const wrong of [{ type: 'never' }, { type: 'fixed', delay: 'soon' }, { type: 'linear', jitter: -1 }, 5, null])
    assert.throws(
      () => resolveBackoff(wrong as never),
      (thrown) => hasCode(thrown, 'E_OPTIONS'),
    )
})

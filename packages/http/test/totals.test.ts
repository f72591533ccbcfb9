import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createTotals } from '@tailwater/http'

test('a count is asked for once however many want it, and again when it is old', async () => {
  const clock = new FakeClock()
  const totals = createTotals({ ttl: '10s', clock })
  let loads = 0
  const load = () => Promise.resolve(++loads)
  assert.deepEqual(await Promise.all([totals.count('a', load), totals.count('a', load)]), [1, 1])
  await clock.advance(9_999)
  assert.equal(await totals.count('a', load), 1)
  await clock.advance(1)
  assert.equal(await totals.count('a', load), 2)
})

test('counts of different lists are different, and the oldest goes when there are too many', async () => {
  const totals = createTotals({ capacity: 2, clock: new FakeClock() })
  for (const key of ['a', 'b', 'c']) await totals.count(key, () => Promise.resolve(1))
  assert.equal(await totals.count('c', () => Promise.resolve(2)), 1)
  assert.equal(await totals.count('a', () => Promise.resolve(2)), 2)
})

test('a count that failed is asked for again', async () => {
  const totals = createTotals({ clock: new FakeClock() })
  await assert.rejects(
    totals.count('a', () => Promise.reject(new Error('away'))),
    /away/,
  )
  assert.equal(await totals.count('a', () => Promise.resolve(3)), 3)
})

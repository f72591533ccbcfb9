import assert from 'node:assert/strict'
import { it } from 'node:test'
import { BUCKETS, bucketOf, countsIn, percentilesOf, summed } from '../src/histogram.ts'

it('a duration is answered within 4.4 %, from a sixteenth of a millisecond to seven weeks', () => {
  for (let ms = 0.07; ms < 2 ** 32; ms *= 1.37) {
    const { p50 } = percentilesOf([[bucketOf(ms), 1]])!
    assert.ok(Math.abs(p50 / ms - 1) < 0.0443, `${p50} for ${ms}`)
  }
})

it('what is shorter or longer than can be told apart counts in the first or the last bucket', () => {
  assert.deepEqual([0, -1, Number.NaN, 2 ** -5].map(bucketOf), [0, 0, 0, 0])
  assert.deepEqual([2 ** 33, Number.POSITIVE_INFINITY].map(bucketOf), [BUCKETS - 1, BUCKETS - 1])
})

it('counts of several processes are added up', () => {
  const one = new Uint32Array(BUCKETS)
  one[3] = 2
  one[200] = 1
  assert.deepEqual(countsIn(one), [
    [3, 2],
    [200, 1],
  ])
  assert.deepEqual(summed([...countsIn(one), [3, 5]]), [
    [3, 7],
    [200, 1],
  ])
})

it('the 50th, 95th and 99th of a hundred are those of their rank', () => {
  const counts = Array.from({ length: 100 }, (_, nth) => [bucketOf(nth < 94 ? 1 : nth < 98 ? 100 : 10_000), 1] as const)
  const { count, p50, p95, p99 } = percentilesOf(counts)!
  assert.equal(count, 100)
  assert.deepEqual(
    [p50, p95, p99].map((ms) => Math.round(Math.log10(ms))),
    [0, 2, 4],
  )
  assert.equal(percentilesOf([]), undefined)
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { estimate, estimateRatio, median, quantile, spread } from '../harness/statistics.ts'

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-3 * Math.abs(expected), `${actual} is not near ${expected}`)

describe('statistics of rounds', () => {
  it('takes the middle value, of an even number the mean of the two in the middle', () => {
    assert.equal(median([9, 1, 5]), 5)
    assert.equal(median([1, 2, 4, 9]), 3)
  })

  it('takes the nearest rank as quantile: the smallest value that a share does not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
    assert.equal(quantile(hundred, 0.95), 95)
    assert.equal(quantile(hundred, 0.5), 50)
    assert.equal(quantile(hundred, 1), 100)
    assert.equal(quantile([7], 0.99), 7)
    assert.equal(quantile([1, 2, 3], 0), 1)
  })

  it('tells the spread as a share of the median', () => {
    assert.equal(spread([90, 100, 120]), 0.3)
  })

  it('treats twice and half alike in the mean of ratios', () => {
    near(estimate([2, 0.5]).value, 1)
  })

  // By hand: logs 0, ln 2, ln 4; mean ln 2; s = ln 2; t(2) = 2.92; half width 2.92 * ln 2 / sqrt 3 = 1.16855.
  it("takes the interval from Student's t on the logarithms", () => {
    const { value, lower, upper } = estimate([1, 2, 4])
    near(value, 2)
    near(lower, 2 * Math.exp(-1.16855))
    near(upper, 2 * Math.exp(1.16855))
  })

  it('gives an interval without width when all rounds agree, and one without ends when there is one round', () => {
    assert.deepEqual(estimate([3, 3, 3]).lower, estimate([3, 3, 3]).upper)
    assert.deepEqual(estimate([3]), { value: estimate([3]).value, lower: 0, upper: Number.POSITIVE_INFINITY })
  })

  it('covers the true value about nine times in ten', () => {
    let seed = 42
    const uniform = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return (seed + 0.5) / 2 ** 32
    }
    const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
    const trials = 4_000
    let covered = 0
    for (let trial = 0; trial < trials; trial++) {
      const { lower, upper } = estimate(Array.from({ length: 5 }, () => 70 * Math.exp(0.2 * normal())))
      if (lower <= 70 && 70 <= upper) covered++
    }
    assert.ok(Math.abs(covered / trials - 0.9) < 0.02, `${covered} of ${trials}`)
  })

  it('compares each round with the one it was paired with', () => {
    // The machine gets slower; the ratio is 2 in every pair, and so certain.
    const { value, lower, upper } = estimateRatio([100, 50, 20], [50, 25, 10], 'higher')
    near(value, 2)
    near(lower, 2)
    near(upper, 2)
  })

  it('turns the ratio round where less is better', () => {
    near(estimateRatio([10, 10], [50, 50], 'lower').value, 5)
  })

  it('refuses rounds that have no partner', () => {
    assert.throws(() => estimateRatio([1, 2], [1], 'higher'), RangeError)
  })
})

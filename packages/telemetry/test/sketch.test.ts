import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sketch } from '@tailwater/telemetry'

const QUANTILES = [0, 0.5, 0.9, 0.95, 0.99, 0.999, 1]
/** Half a bucket of 1/32, as relative error. */
const BOUND = 0.016

test('a quantile is within 1.6 % of the exact one', () => {
  const values = latencies(20_000, 7)
  const sketch = sketchOf(values)
  for (const share of QUANTILES) {
    const exact = exactQuantile(values, share)
    const error = Math.abs(sketch.quantile(share)! - exact) / exact
    assert.ok(error <= BOUND, `q${share}: ${sketch.quantile(share)} for ${exact}`)
  }
})

test('merging two sketches is the same as recording everything in one', () => {
  const left = latencies(5_000, 1)
  const right = latencies(3_000, 2)
  const merged = sketchOf(left)
  merged.merge(sketchOf(right))
  const whole = sketchOf([...left, ...right])
  assert.equal(merged.count, 8_000)
  assert.equal(merged.max, whole.max)
  for (const share of QUANTILES) assert.equal(merged.quantile(share), whole.quantile(share))
})

test('values outside the range count at its ends, and zero and NaN as the smallest', () => {
  const sketch = sketchOf([0, -1, Number.NaN, 1e-9, 1e12, Number.POSITIVE_INFINITY])
  assert.equal(sketch.count, 6)
  assert.ok(sketch.quantile(0)! < 0.001)
  assert.ok(sketch.quantile(1)! > 8_000_000)
})

test('an empty sketch has no quantile, nor has a cleared one', () => {
  const sketch = new Sketch()
  assert.equal(sketch.quantile(0.5), undefined)
  sketch.record(5)
  sketch.clear()
  assert.equal(sketch.quantile(0.5), undefined)
  assert.equal(sketch.count, 0)
  assert.equal(sketch.sum, 0)
})

test('no quantile is above the greatest value', () => {
  const sketch = sketchOf([100.1])
  assert.ok(sketch.quantile(0.99)! <= 100.1)
})

function sketchOf(values: readonly number[]): Sketch {
  const sketch = new Sketch()
  for (const value of values) sketch.record(value)
  return sketch
}

function exactQuantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!
}

/** Log-normal around 1 ms, the shape of real latencies; the same for the same seed. */
function latencies(count: number, seed: number): number[] {
  let state = seed
  const random = () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
  return Array.from({ length: count }, () =>
    Math.exp(1.4 * Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())),
  )
}

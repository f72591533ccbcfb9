import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { Autoscaler } from '../../src/run/autoscaler.ts'
import { Lane } from '../../src/run/lane.ts'

function scaled({ busy = (): number => 0.2 } = {}) {
  const clock = new FakeClock()
  const lane = new Lane('mail', 4)
  const sizes: number[] = []
  const scaler = new Autoscaler(clock, [{ lane, min: 4, max: 16 }], () => sizes.push(lane.max), busy)
  return { clock, lane, sizes, scaler }
}

it('a queue that lags with all places taken gets more of them, up to its most', async () => {
  const { clock, lane, sizes, scaler } = scaled()
  lane.running = 100
  lane.lag = 500
  scaler.start()
  await clock.advance(9_000)
  assert.deepEqual(sizes, [5, 6, 7, 8, 10, 12, 15, 16, 16])
  scaler.stop()
  assert.equal(clock.pending, 0)
})

it('a queue whose jobs do not wait gets no more', async () => {
  const { clock, lane, sizes, scaler } = scaled()
  lane.running = 100
  lane.lag = 50
  scaler.start()
  await clock.advance(3_000)
  assert.deepEqual(sizes, [4, 4, 4])
  scaler.stop()
})

it('a busy event loop takes places away, down to the least', async () => {
  const { clock, lane, sizes, scaler } = scaled({ busy: () => 0.95 })
  Object.assign(lane, { running: 100, lag: 5_000, max: 12 })
  scaler.start()
  await clock.advance(5_000)
  assert.deepEqual(sizes, [9, 7, 6, 5, 4])
  scaler.stop()
})

it('a calm queue gives a place back every ten seconds', async () => {
  const { clock, lane, sizes, scaler } = scaled()
  lane.max = 6
  scaler.start()
  await clock.advance(40_000)
  assert.deepEqual([sizes[8], sizes[9], sizes[19], sizes[39]], [6, 5, 4, 4])
  scaler.stop()
})

it('other bounds hold at once, and begin or end the looking', async () => {
  const { clock, lane, scaler } = scaled()
  scaler.start()
  scaler.bound('mail', { min: 2, max: 2 })
  assert.deepEqual([lane.max, clock.pending], [2, 0])
  scaler.bound('mail', { min: 6, max: 20 })
  assert.deepEqual([lane.max, clock.pending], [6, 1])
  scaler.bound('letters', { min: 1, max: 2 })
  scaler.stop()
  scaler.bound('mail', { min: 1, max: 9 })
  assert.deepEqual([lane.max, clock.pending], [6, 0])
})

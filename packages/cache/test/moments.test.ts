import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { Clock } from '@tailwater/core'
import { Moments } from '../src/moments.ts'

/** A clock that goes on by so much with each reading. */
function steppingClock(step: number) {
  const clock = { elapsed: 0, readings: 0 }
  const port: Clock = {
    now: () => 0,
    elapsed() {
      clock.readings++
      clock.elapsed += step
      return clock.elapsed
    },
    after: () => () => {},
  }
  return { clock, moments: new Moments(port) }
}

it('readings that follow on each other within a microsecond are shared, a few at a time', () => {
  const { clock, moments } = steppingClock(0.000_5)
  for (let look = 0; look < 900; look++) {
    const now = moments.now()
    assert.ok(clock.elapsed - now <= 0.000_5, `${clock.elapsed} ${now}`)
  }
  assert.ok(clock.readings >= 100 && clock.readings < 120, `${clock.readings} readings`)
})

it('readings that are further apart are not', () => {
  const { clock, moments } = steppingClock(0.01)
  for (let look = 1; look <= 100; look++) assert.equal(moments.now(), clock.elapsed)
  assert.equal(clock.readings, 100)
})

it('no reading is kept beyond what was waiting to run in its turn', async () => {
  const { clock, moments } = steppingClock(0.000_5)
  for (let look = 0; look < 3; look++) moments.now()
  clock.elapsed += 10_000
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(moments.now() > 10_000)
})

it('a clock that stands still is read every time', () => {
  const { clock, moments } = steppingClock(0)
  for (let look = 0; look < 5; look++) assert.equal(moments.now(), 0)
  clock.elapsed = 1
  assert.equal(moments.now(), 1)
})

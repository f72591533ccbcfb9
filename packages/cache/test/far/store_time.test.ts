import assert from 'node:assert/strict'
import { it } from 'node:test'
import { sleep } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createStoreTime } from '../../src/far/store_time.ts'

/** A store whose clock is `ahead` of this process's, and whose answers take `there` and `back`. */
function storeAt(clock: FakeClock, store: { ahead: number; there: number; back: number }) {
  return createStoreTime(async () => {
    await sleep(clock, store.there)
    const time = clock.elapsed() + store.ahead
    await sleep(clock, store.back)
    return time
  }, clock)
}

async function measured(clock: FakeClock, time: { measure(): Promise<void> }, ms: number): Promise<void> {
  const measuring = time.measure()
  await clock.advance(ms)
  await measuring
}

it('the time of the store is unknown before it was measured', () => {
  assert.equal(storeAt(new FakeClock(), { ahead: 0, there: 0, back: 0 }).now(), undefined)
})

it('the time of the store is known to half of the time that the question took', async () => {
  const clock = new FakeClock()
  const store = { ahead: 5_000_000, there: 30, back: 10 }
  const time = storeAt(clock, store)
  await measured(clock, time, 40)
  assert.equal(time.error, 20)
  assert.ok(Math.abs(time.now()! - (clock.elapsed() + store.ahead)) <= 20)
})

it('a step of the wall clock does not change it', async () => {
  const clock = new FakeClock()
  const time = storeAt(clock, { ahead: 5_000_000, there: 0, back: 0 })
  await measured(clock, time, 0)
  const before = time.now()!
  clock.step(86_400_000)
  assert.equal(time.now(), before)
})

it('a slow answer does not replace a better one, until that is old', async () => {
  const clock = new FakeClock()
  const store = { ahead: 1_000, there: 1, back: 1 }
  const time = storeAt(clock, store)
  await measured(clock, time, 2)
  Object.assign(store, { there: 100, back: 0 })
  await measured(clock, time, 100)
  assert.equal(time.error, 1)
  await clock.advance(600_000)
  await measured(clock, time, 100)
  assert.equal(time.error, 50)
})

it("a step of the store's clock, as after a failover, is noticed however slow the answer", async () => {
  const clock = new FakeClock()
  const store = { ahead: 1_000, there: 1, back: 1 }
  const time = storeAt(clock, store)
  await measured(clock, time, 2)
  Object.assign(store, { ahead: 900_000, there: 50, back: 50 })
  await measured(clock, time, 100)
  assert.ok(Math.abs(time.now()! - (clock.elapsed() + 900_000)) <= 50)
})

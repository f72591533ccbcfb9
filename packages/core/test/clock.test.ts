import assert from 'node:assert/strict'
import { it, mock } from 'node:test'
import { sleep, systemClock } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'

it('advance fires timers set by earlier timers in the same call, in the order they fall due', async () => {
  const clock = new FakeClock()
  const fired: number[] = []
  clock.after(10, () => {
    fired.push(clock.elapsed())
    clock.after(10, () => fired.push(clock.elapsed()))
  })
  clock.after(15, () => fired.push(clock.elapsed()))
  await clock.advance(25)
  assert.deepEqual(fired, [10, 15, 20])
  assert.equal(clock.elapsed(), 25)
})

it('a step of wall time moves neither timers nor elapsed time', async () => {
  const clock = new FakeClock(1_000)
  let fired = false
  clock.after(10, () => {
    fired = true
  })
  clock.step(-600_000)
  assert.equal(clock.now(), -599_000)
  assert.equal(clock.elapsed(), 0)
  await clock.advance(9)
  assert.equal(fired, false)
  await clock.advance(1)
  assert.equal(fired, true)
})

it('sleep rejects with the reason of the signal, and leaves no timer', async () => {
  const clock = new FakeClock()
  const controller = new AbortController()
  const nap = sleep(clock, 1_000, controller.signal)
  controller.abort(new Error('stopping'))
  await assert.rejects(nap, /stopping/)
  assert.equal(clock.pending, 0)
})

it('sleep rejects at once when the signal has aborted already', async () => {
  await assert.rejects(sleep(new FakeClock(), 1_000, AbortSignal.abort(new Error('too late'))), /too late/)
})

it('a wait beyond the longest timer of Node does not end at once, nor early', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  try {
    const day = 86_400_000
    const fired: string[] = []
    systemClock.after(30 * day, () => fired.push('a month'))
    systemClock.after(Number.POSITIVE_INFINITY, () => fired.push('never'))
    const cancel = systemClock.after(40 * day, () => fired.push('cancelled'))
    for (let passed = 0; passed < 29; passed++) mock.timers.tick(day)
    cancel()
    assert.deepEqual(fired, [])
    for (let passed = 0; passed < 2; passed++) mock.timers.tick(day)
    assert.deepEqual(fired, ['a month'])
    for (let passed = 0; passed < 300; passed++) mock.timers.tick(day)
    assert.deepEqual(fired, ['a month'])
  } finally {
    mock.timers.reset()
  }
})

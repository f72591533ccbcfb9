import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { Deadlines } from '../../src/load/deadlines.ts'

it('each deadline expires at its own time, and once', async () => {
  const clock = new FakeClock()
  const deadlines = new Deadlines(clock)
  const over: string[] = []
  deadlines.set(100, () => over.push(`a at ${clock.elapsed()}`))
  await clock.advance(40)
  deadlines.set(100, () => over.push(`b at ${clock.elapsed()}`))
  deadlines.set(10, () => over.push(`c at ${clock.elapsed()}`))
  await clock.advance(1_000)
  assert.deepEqual(over, ['c at 50', 'a at 100', 'b at 140'])
  assert.equal(clock.pending, 0)
})

it('one that was dropped never expires, and the timer goes with the last', async () => {
  const clock = new FakeClock()
  const deadlines = new Deadlines(clock)
  const over: string[] = []
  const set = (name: string) => deadlines.set(100, () => over.push(name))
  const [a, b, c] = [set('a'), set('b'), set('c')]
  await clock.advance(50)
  const d = set('d')
  for (const dropped of [b, a, a]) deadlines.drop(dropped)
  await clock.advance(50)
  assert.deepEqual(over, ['c'])
  deadlines.drop(c)
  assert.equal(clock.pending, 1)
  deadlines.drop(d)
  assert.equal(clock.pending, 0)
  await clock.advance(1_000)
  assert.deepEqual(over, ['c'])
})

it('one may be set, and another dropped, by one that expires', async () => {
  const clock = new FakeClock()
  const deadlines = new Deadlines(clock)
  const over: number[] = []
  const again = () => {
    over.push(clock.elapsed())
    deadlines.drop(doomed)
    if (over.length < 3) deadlines.set(100, again)
  }
  deadlines.set(100, again)
  const doomed = deadlines.set(100, () => over.push(-1))
  await clock.advance(1_000)
  assert.deepEqual(over, [100, 200, 300])
  assert.equal(clock.pending, 0)
})

it('lengths that nobody uses any more are forgotten, whatever their number', async () => {
  const clock = new FakeClock()
  const deadlines = new Deadlines(clock)
  for (let ms = 1; ms <= 1_000; ms++) deadlines.drop(deadlines.set(ms, () => assert.fail('dropped')))
  let isOver = false
  deadlines.set(500, () => {
    isOver = true
  })
  await clock.advance(500)
  assert.ok(isOver)
  assert.equal(clock.pending, 0)
})

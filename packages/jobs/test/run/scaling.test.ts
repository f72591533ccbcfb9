import assert from 'node:assert/strict'
import { performance } from 'node:perf_hooks'
import { afterEach, it, mock } from 'node:test'
import { engine, nextTurn } from '../testing/engine.ts'

afterEach(() => mock.restoreAll())

/** Has the machine report how busy the event loop was. */
function loopIsBusy(share: () => number): void {
  mock.method(performance, 'eventLoopUtilization', () => ({ idle: 1, active: 1, utilization: share() }))
}

/** An engine whose handlers go on until they are let go. */
function scaledEngine() {
  const { jobs, clock } = engine({ queues: { mail: { concurrency: { min: 2, max: 12 } } }, pollInterval: '1h' })
  const running = new Set<() => void>()
  let most = 0
  const kind = jobs.define<number>({
    kind: 'send',
    queue: 'mail',
    async run() {
      const { promise, resolve } = Promise.withResolvers<void>()
      running.add(resolve)
      most = Math.max(most, running.size)
      await promise
      running.delete(resolve)
    },
  })
  return {
    jobs,
    clock,
    kind,
    running,
    most: () => most,
    /** Lets some handlers end, and waits until their places are taken again or nothing is left. */
    async finish(count: number): Promise<void> {
      const turn = nextTurn()
      for (const end of [...running].slice(0, count)) end()
      await turn
      await clock.advance(0)
    },
  }
}

it('a queue whose jobs wait gets more handlers at once, up to its most, and a calm one gives them back', async () => {
  loopIsBusy(() => 0.3)
  const { jobs, clock, kind, running, finish } = scaledEngine()
  await jobs.start()
  await kind.enqueueMany(Array.from({ length: 200 }, (_, n) => n))
  await clock.advance(0)
  assert.equal(running.size, 2, 'it begins with its least')
  const sizes: number[] = []
  for (let second = 0; second < 14; second++) {
    await clock.advance(1_000)
    await finish(1)
    sizes.push(running.size)
  }
  assert.deepEqual(
    sizes.toSorted((a, b) => a - b),
    sizes,
    'it never shrank',
  )
  assert.equal(sizes.at(-1), 12)
  assert.equal((await jobs.counts('mail')).running, 12)
  while (running.size > 0) await finish(12)
  await clock.advance(120_000)
  await kind.enqueueMany([1, 2, 3, 4, 5])
  await clock.advance(0)
  assert.equal(running.size, 2, 'back at its least')
  while (running.size > 0) await finish(12)
  await jobs.stop()
})

it('a busy event loop keeps it from growing, though its jobs wait', async () => {
  let share = 0.97
  loopIsBusy(() => share)
  const { jobs, clock, kind, running, finish } = scaledEngine()
  await jobs.start()
  await kind.enqueueMany(Array.from({ length: 100 }, (_, n) => n))
  for (let second = 0; second < 10; second++) {
    await clock.advance(1_000)
    await finish(1)
    assert.equal(running.size, 2)
  }
  share = 0.3
  await clock.advance(1_000)
  await finish(1)
  assert.ok(running.size > 2, 'it grows when the loop has time again')
  while (running.size > 0) await finish(12)
  await jobs.stop()
})

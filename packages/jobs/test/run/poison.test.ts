import assert from 'node:assert/strict'
import { it } from 'node:test'
import { MAX_CRASHES } from '@tailwater/jobs'
import { engine, nextAttempt } from '../testing/engine.ts'

/** Milliseconds. */
const LEASE = 20_000

it('jobs that the next crash would bury run one by one, and nothing is claimed beside them', async () => {
  const { jobs, clock, backend } = engine({ concurrency: 5, pollInterval: '5s' })
  const running = new Set<string>()
  const seen: string[][] = []
  const done: (() => void)[] = []
  const kind = jobs.define<null>({
    kind: 'work',
    async run({ jobId }) {
      running.add(jobId)
      seen.push([...running])
      await new Promise<void>((resolve) => done.push(resolve))
      running.delete(jobId)
    },
  })
  const suspects = (await kind.enqueueMany([null, null])).map(({ id }) => id)
  for (let crash = 1; crash <= MAX_CRASHES; crash++) {
    const turn = { worker: `dead-${crash}`, lease: LEASE, ends: [], wants: [{ queue: 'default', count: 2 }] }
    assert.equal((await backend.work.turn(turn)).claimed.length, 2)
    await clock.advance(LEASE + 1)
    await backend.maintain.sweep()
  }
  await jobs.start()
  const others = [await kind.enqueue(null), await kind.enqueue(null)]
  for (let ended = 0; ended < 4; ended++) {
    const attempt = nextAttempt('work')
    while (done.length === 0) await clock.advance(5_000)
    done.shift()!()
    await attempt
  }
  for (const at of seen)
    if (at.some((id) => suspects.includes(id))) assert.equal(at.length, 1, 'a suspect was not alone')
  assert.deepEqual(
    seen
      .flat()
      .filter((id) => suspects.includes(id))
      .sort(),
    suspects.toSorted(),
  )
  assert.ok(
    seen.some((at) => at.length === 2 && at.every((id) => others.includes(id))),
    'the others ran together',
  )
  assert.equal((await jobs.counts()).completed, 4)
})

it('a suspect waits a minute at most for what runs', async () => {
  const { jobs, clock, backend } = engine({ concurrency: 5, pollInterval: '5s' })
  const begun: string[] = []
  const kind = jobs.define<null>({
    kind: 'endless',
    async run({ jobId, signal }) {
      begun.push(jobId)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  })
  const suspect = await kind.enqueue(null)
  for (let crash = 1; crash <= MAX_CRASHES; crash++) {
    const turn = { worker: `dead-${crash}`, lease: LEASE, ends: [], wants: [{ queue: 'default', count: 1 }] }
    await backend.work.turn(turn)
    await clock.advance(LEASE + 1)
    await backend.maintain.sweep()
  }
  await jobs.queue('default').pause()
  const endless = await kind.enqueue(null, { priority: 'critical' })
  await jobs.start()
  await jobs.queue('default').resume()
  while (begun.length === 0) await clock.advance(1_000)
  assert.deepEqual(begun, [endless])
  await clock.advance(50_000)
  assert.deepEqual(begun, [endless])
  await clock.advance(15_000)
  assert.deepEqual(begun, [endless, suspect])
})

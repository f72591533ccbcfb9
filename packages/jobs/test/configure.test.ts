import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { QueueLimits, QueueOptions, Retention } from '@tailwater/jobs'
import { engine, nextAttempt } from './testing/engine.ts'

const MAIL: QueueOptions = { attempts: 2, backoff: { type: 'fixed', delay: '3s', jitter: 0 }, timeout: '30s' }

it('kinds take attempts, backoff and timeout from their queue, unless they say so themselves', async () => {
  const { jobs, clock } = engine({ queues: { mail: MAIL } })
  let runs = 0
  const letter = jobs.define<null>({
    kind: 'letter',
    queue: 'mail',
    async run() {
      runs++
      throw new Error('no')
    },
  })
  const own = jobs.define<null>({ kind: 'parcel', queue: 'mail', attempts: 7, timeout: '1m', run: async () => {} })
  const [first, second] = [await letter.enqueue(null), await own.enqueue(null)]
  const seen = [await jobs.inspect.get(first), await jobs.inspect.get(second)]
  assert.deepEqual(
    seen.map((job) => [job?.maxAttempts, job?.timeout]),
    [
      [2, 30_000],
      [7, 60_000],
    ],
  )
  const failed = nextAttempt('letter')
  await jobs.start()
  await failed
  const dead = nextAttempt('letter')
  await clock.advance(2_999)
  assert.equal(runs, 1)
  await clock.advance(1)
  assert.equal((await dead).outcome, 'dead')
})

it('what a queue is changed to holds for jobs from then on, and an empty change takes it back', async () => {
  const { jobs } = engine({ queues: { mail: MAIL } })
  const letter = jobs.define<null>({ kind: 'letter', queue: 'mail', run: async () => {} })
  const stored = async () => {
    const job = await jobs.inspect.get(await letter.enqueue(null))
    return [job?.maxAttempts, job?.timeout]
  }
  await jobs.configure('mail', { attempts: 9 })
  assert.deepEqual(await stored(), [9, 30_000])
  await jobs.configure('mail', { timeout: '5s' })
  assert.deepEqual(await stored(), [2, 5_000])
  await jobs.configure('mail', {})
  assert.deepEqual(await stored(), [2, 30_000])
})

it('a running process begins more jobs at once as soon as its queue may', async () => {
  const { jobs } = engine({ queues: { mail: { concurrency: 1 } } })
  const gate = Promise.withResolvers<void>()
  const begun: (() => void)[] = []
  const beginnings = [1, 2, 3].map(() => new Promise<void>((resolve) => begun.push(resolve)))
  let running = 0
  const letter = jobs.define<null>({
    kind: 'letter',
    queue: 'mail',
    async run() {
      begun[running++]?.()
      await gate.promise
    },
  })
  await letter.enqueueMany([null, null, null])
  await jobs.start()
  await beginnings[0]
  assert.equal((await jobs.counts('mail')).running, 1)
  await jobs.configure('mail', { concurrency: 3 })
  await Promise.all(beginnings)
  assert.equal((await jobs.counts('mail')).running, 3)
  gate.resolve()
})

it('limits and retention are stored at the start, and at once while it runs, the later of two changes last', async () => {
  const { jobs, backend } = engine({ queues: { mail: { limits: { rate: { count: 1, per: '1s' } } } } })
  const { configure } = backend.maintain
  const told: [string, QueueLimits, Retention][] = []
  Object.assign(backend.maintain, {
    async configure(queue: string, limits: QueueLimits, retention: Retention) {
      if (queue === 'mail') told.push([queue, limits, retention])
      await configure(queue, limits, retention)
    },
  })
  await jobs.configure('mail', { limits: { rate: { count: 2, per: '1s' } } })
  assert.equal(told.length, 0)
  await jobs.start()
  await Promise.all([
    jobs.configure('mail', { limits: { rate: { count: 3, per: '1s' } } }),
    jobs.configure('mail', { retention: { completed: '1h' } }),
  ])
  assert.deepEqual(
    told.map(([, { rate }]) => rate?.count),
    [2, 1, 1],
  )
  assert.equal(told.at(-1)?.[2].completed.age, 3_600_000)
})

it('a rate that is let go starts what it held back', async () => {
  const { jobs } = engine({ queues: { mail: { limits: { rate: { count: 1, per: '1h' } } } } })
  const ended: (() => void)[] = []
  const ends = [1, 2].map(() => new Promise<void>((resolve) => ended.push(resolve)))
  let done = 0
  const letter = jobs.define<null>({ kind: 'letter', queue: 'mail', run: async () => ended[done++]?.() })
  await letter.enqueueMany([null, null])
  await jobs.start()
  await ends[0]
  await jobs.configure('mail', { limits: {} })
  await ends[1]
})

it('a queue that is not there, and a change that is none, are refused, and nothing is changed', async () => {
  const { jobs } = engine({ queues: { mail: MAIL } })
  await assert.rejects(jobs.configure('post', {}), { code: 'E_JOB_QUEUE_UNKNOWN' })
  await assert.rejects(jobs.configure('mail', { attempts: 0 }), {
    code: 'E_OPTIONS',
    message: /jobs\.configure\('mail'\)\.attempts/,
  })
  await assert.rejects(jobs.configure('mail', { atempts: 3 } as QueueOptions), { code: 'E_OPTIONS' })
  const letter = jobs.define<null>({ kind: 'letter', queue: 'mail', run: async () => {} })
  assert.equal((await jobs.inspect.get(await letter.enqueue(null)))?.maxAttempts, 2)
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { backgroundError, currentContext, hasCode, jobAttempt, listen, notice, runInContext } from '@tailwater/core'
import { stressLifecycle } from '@tailwater/core/testing'
import { PermanentError, type RunningJob } from '@tailwater/jobs'
import { engine, nextAttempt, nextTurn } from './testing/engine.ts'

it('a job runs with its payload, and what its handler returns is kept', async () => {
  const { jobs } = engine()
  const kind = jobs.define<{ n: number }>({ kind: 'double', run: async ({ payload }) => ({ twice: 2 * payload.n }) })
  await jobs.start()
  const attempt = nextAttempt('double')
  const id = await kind.enqueue({ n: 21 })
  const event = await attempt
  assert.deepEqual([event.jobId, event.outcome, event.attempt, event.queue], [id, 'completed', 1, 'default'])
  const job = await jobs.inspect.get(id)
  assert.deepEqual([job?.state, job?.result], ['completed', { twice: 42 }])
})

it('a handler that is no promise runs as well, and one that throws at once fails like any other', async () => {
  const { jobs } = engine()
  const plain = jobs.define<null>({ kind: 'plain', run: () => 7 })
  const hasty = jobs.define<null>({
    kind: 'hasty',
    attempts: 1,
    run() {
      throw new Error('at once')
    },
  })
  await jobs.start()
  const ended = [nextAttempt('plain'), nextAttempt('hasty')]
  const ids = [await plain.enqueue(null), await hasty.enqueue(null)]
  const [done, failed] = await Promise.all(ended)
  assert.deepEqual([done!.outcome, failed!.outcome, failed!.error?.message], ['completed', 'dead', 'at once'])
  assert.equal((await jobs.inspect.get(ids[0]!))?.result, 7)
  assert.match((await jobs.inspect.get(ids[1]!))?.error ?? '', /^Error: at once\n\s+at /)
})

it('a failed attempt comes again after its backoff, and succeeds', async () => {
  const { jobs, clock } = engine()
  let runs = 0
  const kind = jobs.define<null>({
    kind: 'flaky',
    backoff: { type: 'fixed', delay: 5_000, jitter: 0 },
    async run() {
      if (++runs < 3) throw new Error(`failure ${runs}`)
    },
  })
  await jobs.start()
  let attempt = nextAttempt('flaky')
  const id = await kind.enqueue(null)
  for (const [outcome, wait] of [
    ['retryable', 5_000],
    ['retryable', 5_000],
    ['completed', 0],
  ] as const) {
    const event = await attempt
    assert.equal(event.outcome, outcome)
    attempt = nextAttempt('flaky')
    await clock.advance(wait)
  }
  assert.deepEqual([runs, (await jobs.inspect.get(id))?.attempt], [3, 3])
})

it('a permanent error makes a job dead at once, as any error does that says it cannot be retried', async () => {
  const { jobs } = engine()
  const thrown: Error[] = [new PermanentError('gone'), Object.assign(new Error('no such user'), { retryable: false })]
  const kind = jobs.define<number>({
    kind: 'permanent',
    async run({ payload }) {
      throw thrown[payload]!
    },
  })
  await jobs.start()
  for (const index of thrown.keys()) {
    const attempt = nextAttempt('permanent')
    await kind.enqueue(index)
    assert.equal((await attempt).outcome, 'dead')
  }
})

it('a snoozed job comes back, and the attempt does not count', async () => {
  const { jobs, clock } = engine()
  let runs = 0
  const kind = jobs.define<null>({
    kind: 'sleepy',
    attempts: 1,
    run: async (job) => (++runs < 3 ? job.snooze('1m') : runs),
  })
  await jobs.start()
  let attempt = nextAttempt('sleepy')
  const id = await kind.enqueue(null)
  for (const outcome of ['snoozed', 'snoozed', 'completed'] as const) {
    assert.equal((await attempt).outcome, outcome)
    attempt = nextAttempt('sleepy')
    await clock.advance(60_000)
  }
  assert.equal((await jobs.inspect.get(id))?.attempt, 1)
})

it('a handler whose time is over hears of it, and its attempt has failed', async () => {
  const { jobs, clock } = engine()
  const kind = jobs.define<null>({ kind: 'slow', timeout: '10s', attempts: 2, run: (job) => untilAborted(job) })
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  const id = await kind.enqueue(null)
  await begun
  await clock.advance(9_999)
  assert.equal((await jobs.inspect.get(id))?.state, 'running')
  const attempt = nextAttempt('slow')
  await clock.advance(1)
  const { outcome, error } = await attempt
  assert.equal(outcome, 'retryable')
  assert.ok(hasCode(error, 'E_JOB_TIMEOUT'))
})

it('a handler that does not listen keeps its job from going on for no more than the grace', async () => {
  const { jobs, clock } = engine()
  const gate = Promise.withResolvers<void>()
  const kind = jobs.define<null>({ kind: 'deaf', timeout: '10s', attempts: 1, run: () => gate.promise })
  const notices: string[] = []
  const end = listen(notice, ({ message }) => notices.push(message))
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  await kind.enqueue(null)
  await begun
  const attempt = nextAttempt('deaf')
  await clock.advance(15_000)
  assert.equal((await attempt).outcome, 'dead')
  end()
  assert.match(notices.join(), /goes on after its timeout/)
  gate.resolve()
  await jobs.stop()
  assert.equal(clock.pending, 0)
})

it('a running job that is cancelled hears of it, and ends as cancelled', async () => {
  const { jobs, clock } = engine()
  const kind = jobs.define<null>({ kind: 'unwanted', run: (job) => untilAborted(job) })
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  const id = await kind.enqueue(null)
  await begun
  assert.equal(await jobs.operate.cancel(id), true)
  const attempt = nextAttempt('unwanted')
  await clock.advance(10_000)
  const { outcome, error } = await attempt
  assert.equal(outcome, 'cancelled')
  assert.ok(hasCode(error, 'E_JOB_CANCELLED'))
  assert.equal((await jobs.inspect.get(id))?.state, 'cancelled')
})

it('no more handlers run at once than a queue has places in this process, each freed place is filled', async () => {
  const { jobs } = engine({ queues: { narrow: { concurrency: 3 } } })
  let running = 0
  let most = 0
  const kind = jobs.define<number>({
    kind: 'counted',
    queue: 'narrow',
    async run() {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    },
  })
  await jobs.start()
  const done = nextAttempt(({ kind, jobId }) => kind === 'counted' && jobId === last)
  const stored = await kind.enqueueMany(Array.from({ length: 50 }, (_, n) => n))
  const last = stored.at(-1)!.id
  await done
  assert.equal(most, 3)
  assert.equal((await jobs.counts('narrow')).completed, 50)
})

it('a job runs in the context of the request that enqueued it', async () => {
  const { jobs } = engine()
  const seen: (string | undefined)[] = []
  const kind = jobs.define<null>({
    kind: 'traced',
    async run({ requestId }) {
      seen.push(requestId, currentContext()?.requestId, currentContext()?.traceparent)
    },
  })
  await jobs.start()
  const attempt = nextAttempt('traced')
  await runInContext({ requestId: 'r-9', traceparent: '00-1-2-01' }, () => kind.enqueue(null))
  assert.equal((await attempt).requestId, 'r-9')
  assert.deepEqual(seen, ['r-9', 'r-9', '00-1-2-01'])
})

it('progress and log lines can be read while a job runs, and after it', async () => {
  const { jobs, clock } = engine()
  const gate = Promise.withResolvers<void>()
  const kind = jobs.define<null>({
    kind: 'talkative',
    async run({ progress, log }) {
      progress({ percent: 40 })
      log('halfway')
      await gate.promise
      progress({ percent: 100 })
      log('done')
    },
  })
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  const id = await kind.enqueue(null)
  await begun
  await clock.advance(250)
  assert.deepEqual((await jobs.inspect.get(id))?.progress, { percent: 40 })
  const attempt = nextAttempt('talkative')
  gate.resolve()
  await attempt
  assert.deepEqual((await jobs.inspect.get(id))?.progress, { percent: 100 })
  assert.deepEqual(await jobs.inspect.logs(id), ['halfway', 'done'])
})

it('a job of a kind that this process does not know waits for one that does, and a notice says so', async () => {
  const { jobs, backend, clock } = engine()
  const other = engine({ backend, clock })
  const kind = other.jobs.define<null>({ kind: 'from-the-future', run: () => 'done' })
  const notices: string[] = []
  const end = listen(notice, ({ message }) => notices.push(message))
  await jobs.start()
  const turn = nextTurn(({ ended }) => ended === 1)
  const id = await kind.enqueue(null)
  await turn
  end()
  assert.match(notices.join(), /from-the-future/)
  const waiting = await jobs.inspect.get(id)
  assert.deepEqual([waiting?.state, waiting?.attempt], ['scheduled', 0])
  await jobs.stop()
  await other.jobs.start()
  const attempt = nextAttempt('from-the-future')
  await clock.advance(30_000)
  assert.equal((await attempt).outcome, 'completed')
})

it('stopping waits for what runs, claims nothing more, and leaves no timer behind', async () => {
  const { jobs, clock } = engine({ queues: { one: { concurrency: 1 } } })
  const gate = Promise.withResolvers<void>()
  const kind = jobs.define<null>({ kind: 'drained', queue: 'one', run: () => gate.promise })
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  const [first, second] = await kind.enqueueMany([null, null])
  await begun
  const stopped = jobs.stop()
  gate.resolve()
  await stopped
  assert.equal((await jobs.inspect.get(first!.id))?.state, 'completed')
  assert.deepEqual(await jobs.counts('one').then(({ available }) => available), 1)
  assert.equal((await jobs.inspect.get(second!.id))?.attempt, 0)
  assert.equal(clock.pending, 0)
})

it('what has not ended by the deadline of a stop is told to, and given back without counting the attempt', async () => {
  const { jobs, clock } = engine()
  const signal = Promise.withResolvers<AbortSignal>()
  const kind = jobs.define<null>({
    kind: 'endless',
    run(job) {
      signal.resolve(job.signal)
      return new Promise(() => {})
    },
  })
  await jobs.start()
  const id = await kind.enqueue(null)
  const told = await signal.promise
  const stopped = jobs.stop(clock.elapsed() + 5_000)
  await clock.advance(5_000)
  await stopped
  assert.ok(hasCode(told.reason, 'E_JOB_STOPPING'))
  const job = await jobs.inspect.get(id)
  assert.deepEqual([job?.state, job?.attempt, job?.worker], ['available', 0, undefined])
  assert.equal(clock.pending, 0)
})

it('the lease is renewed while a long job runs', async () => {
  const { jobs, clock, backend } = engine()
  const gate = Promise.withResolvers<void>()
  const kind = jobs.define<null>({ kind: 'long', run: () => gate.promise })
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  const id = await kind.enqueue(null)
  await begun
  for (let minutes = 0; minutes < 5; minutes++) await clock.advance(60_000)
  await backend.maintain.sweep()
  assert.equal((await jobs.inspect.get(id))?.state, 'running')
  const attempt = nextAttempt('long')
  gate.resolve()
  assert.equal((await attempt).outcome, 'completed')
})

it('a handler whose lease was lost hears of it; the job runs here again only after it has stopped', async () => {
  const { jobs, clock, backend } = engine({ queues: { default: { concurrency: 2 } } })
  const begun: string[] = []
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let reason: unknown
  const kind = jobs.define<null>({
    kind: 'lost',
    async run({ attempt, signal }) {
      begun.push(`attempt ${attempt}`)
      signal.addEventListener('abort', () => {
        reason = signal.reason
      })
      await gates[attempt - 1]!.promise
    },
  })
  await jobs.start()
  const claimed = nextTurn((turn) => turn.claimed === 1)
  const id = await kind.enqueue(null)
  await claimed
  const { worker } = (await backend.inspect.get(id))!
  // The worker is taken for dead without having been silent for as long as it itself can tell.
  await backend.work.turn({ worker: worker!, lease: -1, ends: [], wants: [] })
  await backend.maintain.sweep()
  const again = nextTurn((turn) => turn.claimed === 1)
  await clock.advance(1)
  await again
  assert.ok(hasCode(reason, 'E_JOB_LEASE_LOST'))
  assert.deepEqual(begun, ['attempt 1'])
  const attempt = nextAttempt('lost')
  gates[0]!.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(begun, ['attempt 1', 'attempt 2'])
  gates[1]!.resolve()
  const event = await attempt
  assert.deepEqual([event.attempt, event.outcome], [2, 'completed'])
  await jobs.stop()
  assert.equal(clock.pending, 0)
})

it('a job that was lost to a handler that does not stop is put off, so that another process may take it', async () => {
  const { jobs, clock, backend } = engine()
  const kind = jobs.define<null>({ kind: 'stubborn', run: () => new Promise(() => {}) })
  await jobs.start()
  const claimed = nextTurn((turn) => turn.claimed === 1)
  const id = await kind.enqueue(null)
  await claimed
  const { worker } = (await backend.inspect.get(id))!
  await backend.work.turn({ worker: worker!, lease: -1, ends: [], wants: [] })
  await backend.maintain.sweep()
  const again = nextTurn((turn) => turn.claimed === 1)
  await clock.advance(1)
  await again
  const putOff = nextAttempt(({ outcome }) => outcome === 'snoozed')
  await clock.advance(5_000)
  assert.equal((await putOff).jobId, id)
  const job = await backend.inspect.get(id)
  assert.deepEqual([job?.state, job?.attempt, job?.crashes], ['scheduled', 1, 1])
  await jobs.stop()
  assert.equal(clock.pending, 0)
})

it('an end that comes too late is refused, is no attempt that ended, and a notice says so', async () => {
  const { jobs, clock, backend } = engine()
  const gate = Promise.withResolvers<void>()
  const kind = jobs.define<null>({ kind: 'late', run: () => gate.promise })
  await jobs.start()
  const claimed = nextTurn((turn) => turn.claimed === 1)
  const id = await kind.enqueue(null)
  await claimed
  const { worker } = (await backend.inspect.get(id))!
  await backend.work.turn({ worker: worker!, lease: -1, ends: [], wants: [] })
  await backend.work.turn({ worker: 'other', lease: 60_000, ends: [], wants: [{ queue: 'default', count: 1 }] })
  const events: string[] = []
  const ends = [listen(notice, ({ message }) => events.push(message)), listen(jobAttempt, () => events.push('attempt'))]
  const refused = nextTurn((turn) => turn.refused === 1)
  gate.resolve()
  await refused
  for (const end of ends) end()
  assert.equal(events.length, 1)
  assert.match(events[0]!, /came too late/)
  assert.equal((await backend.inspect.get(id))?.worker, 'other')
  assert.equal(clock.elapsed(), 0)
})

it('a turn whose reply is lost is told again, and what it had claimed runs once', async () => {
  const { backend: memory, clock } = engine()
  let losses = 0
  const work = { ...memory.work }
  work.turn = async (turn) => {
    const reply = await memory.work.turn(turn)
    if (reply.claimed.length > 0 && losses++ === 0) throw new Error('the reply is lost')
    return reply
  }
  const { jobs } = engine({ backend: { ...memory, work }, clock })
  const errors: string[] = []
  const end = listen(backgroundError, ({ error }) => errors.push(error.message))
  let runs = 0
  const kind = jobs.define<null>({ kind: 'once', run: () => ++runs })
  await jobs.start()
  const failed = nextTurn(({ error }) => error !== undefined)
  const id = await kind.enqueue(null)
  await failed
  const attempt = nextAttempt('once')
  await clock.advance(100)
  const { attempt: number, outcome } = await attempt
  end()
  assert.deepEqual([runs, number, outcome, errors], [1, 1, 'completed', ['the reply is lost']])
  assert.equal((await jobs.inspect.get(id))?.state, 'completed')
})

it('an end whose acknowledgement is lost is told again, and counts once', async () => {
  const { backend: memory, clock } = engine()
  let losses = 0
  const work = { ...memory.work }
  work.turn = async (turn) => {
    const reply = await memory.work.turn(turn)
    if (turn.ends.length > 0 && losses++ === 0) throw new Error('the reply is lost')
    return reply
  }
  const { jobs } = engine({ backend: { ...memory, work }, clock })
  const kind = jobs.define<null>({ kind: 'told', run: () => 1 })
  await jobs.start()
  const failed = nextTurn(({ error }) => error !== undefined)
  const id = await kind.enqueue(null)
  await failed
  const attempt = nextAttempt('told')
  await clock.advance(100)
  assert.equal((await attempt).outcome, 'completed')
  const job = await jobs.inspect.get(id)
  assert.deepEqual([job?.state, job?.attempt], ['completed', 1])
})

it('a poisonous job is told of as dead by the worker that buries it', async () => {
  const { jobs, backend, clock } = engine()
  const kind = jobs.define<null>({ kind: 'poison', attempts: 1, run: () => 1 })
  const id = await kind.enqueue(null)
  await backend.work.turn({ worker: 'killed', lease: 1_000, ends: [], wants: [{ queue: 'default', count: 1 }] })
  await clock.advance(1_001)
  const attempt = nextAttempt('poison')
  await jobs.start()
  const { outcome, error, jobId } = await attempt
  assert.deepEqual([outcome, jobId], ['dead', id])
  assert.ok(hasCode(error, 'E_JOB_POISON'))
})

it('a backoff that fails itself puts the job off for a minute, and is reported', async () => {
  const { jobs } = engine()
  const errors: string[] = []
  const end = listen(backgroundError, ({ error }) => errors.push(error.message))
  const kind = jobs.define<null>({
    kind: 'odd',
    backoff: () => -5,
    async run() {
      throw new Error('no')
    },
  })
  await jobs.start()
  const attempt = nextAttempt('odd')
  const id = await kind.enqueue(null)
  await attempt
  end()
  const job = await jobs.inspect.get(id)
  assert.equal(job!.runAt - job!.startedAt!, 60_000)
  assert.match(errors.join(), /backoff\(1\) must be a duration/)
})

it('a result that cannot be stored fails its attempt', async () => {
  const { jobs } = engine()
  const kind = jobs.define<null>({ kind: 'unwritable', run: () => 10n })
  await jobs.start()
  const attempt = nextAttempt('unwritable')
  await kind.enqueue(null)
  const { outcome, error } = await attempt
  assert.equal(outcome, 'dead')
  assert.ok(hasCode(error, 'E_JOB_PAYLOAD'))
})

it('starts and stops in any order', async () => {
  const { jobs, clock } = engine()
  jobs.define({ kind: 'stressed', run: async () => {} })
  await stressLifecycle(jobs)
  assert.equal(clock.pending, 0)
})

/** A handler that ends when it is told to. */
function untilAborted({ signal }: RunningJob<null>): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

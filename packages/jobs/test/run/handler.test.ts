import assert from 'node:assert/strict'
import { it } from 'node:test'
import { currentContext, hasCode, listen, notice, runInContext } from '@tailwater/core'
import { engine, nextAttempt, nextTurn } from '../testing/engine.ts'

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

it('whatever a handler throws fails its attempt alone, also what cannot be read', async () => {
  const { jobs } = engine()
  const unreadable = Object.defineProperty(new Error('x'), 'message', {
    get() {
      throw new Error('not to be read')
    },
  })
  const thrown = [undefined, null, 'text', 5n, Object.create(null), unreadable, new Error('cut\0 \ud800.')]
  const kind = jobs.define<number>({
    kind: 'thrower',
    attempts: 1,
    run({ payload }) {
      throw thrown[payload]
    },
  })
  await jobs.start()
  const errors: unknown[] = []
  for (const which of thrown.keys()) {
    const attempt = nextAttempt('thrower')
    const id = await kind.enqueue(which)
    assert.equal((await attempt).outcome, 'dead')
    errors.push((await jobs.inspect.get(id))?.error?.split('\n')[0])
  }
  assert.deepEqual(errors, [
    'Error: the handler threw nothing',
    'Error: the handler threw nothing',
    'Error: text',
    'Error: 5',
    'Error: [object Object]',
    'Error: the handler threw an error that cannot be read: not to be read',
    'Error: cut \ufffd.',
  ])
})

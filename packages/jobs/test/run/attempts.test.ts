import assert from 'node:assert/strict'
import { it } from 'node:test'
import { backgroundError, listen } from '@tailwater/core'
import { PermanentError } from '@tailwater/jobs'
import { engine, nextAttempt } from '../testing/engine.ts'

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

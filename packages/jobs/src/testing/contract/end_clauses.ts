import assert from 'node:assert/strict'
import { type Clause, countsOf, idsOf } from './subject.ts'

/** What the end of an attempt makes of a job. */
export function endClauses(clause: Clause): void {
  clause('a completed job keeps its result and the moment', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    await subject.advance(80)
    await subject.complete('a', job, '{"sent":true}')
    const { state, result, finishedAt, worker, error } = await subject.job(id)
    const now = await subject.now()
    assert.deepEqual(
      [state, result, finishedAt, worker, error],
      ['completed', '{"sent":true}', now, undefined, undefined],
    )
  })

  clause('a failed attempt comes again after its delay, and its error can be read', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    await subject.accept('a', job, { outcome: 'failed', error: 'no route', delay: 2_000 })
    const { state, error, runAt, worker, finishedAt } = await subject.job(id)
    const due = (await subject.now()) + 2_000
    assert.deepEqual([state, error, runAt, worker, finishedAt], ['retryable', 'no route', due, undefined, undefined])
    await subject.advance(1_999)
    assert.deepEqual(await subject.claim('a'), [])
    await subject.advance(1)
    const again = await subject.claimOne('a')
    assert.deepEqual([again.id, again.attempt], [id, 2])
  })

  clause('a failure without delay may be claimed by the next turn', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    await subject.accept('a', job, { outcome: 'failed', error: 'no', delay: 0 })
    assert.deepEqual(idsOf(await subject.claim('a')), [id])
  })

  clause('the last attempt that fails makes the job dead', async (subject) => {
    const id = await subject.id({ maxAttempts: 2 })
    for (const attempt of [1, 2]) {
      const job = await subject.claimOne('a')
      assert.equal(job.attempt, attempt)
      await subject.accept('a', job, { outcome: 'failed', error: `no ${attempt}`, delay: 10 })
      await subject.advance(10)
    }
    const { state, error, finishedAt, attempt } = await subject.job(id)
    assert.deepEqual([state, error, attempt], ['dead', 'no 2', 2])
    assert.equal(finishedAt, (await subject.now()) - 10)
    assert.deepEqual(await subject.claim('a'), [])
  })

  clause('a permanent error makes the job dead at once', async (subject) => {
    const id = await subject.id()
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'dead', error: 'never' })
    const { state, error } = await subject.job(id)
    assert.deepEqual([state, error], ['dead', 'never'])
  })

  clause('an attempt that was cancelled makes the job cancelled', async (subject) => {
    const id = await subject.id()
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'cancelled', error: 'unwanted' })
    const { state, error, finishedAt } = await subject.job(id)
    assert.deepEqual([state, error, finishedAt], ['cancelled', 'unwanted', await subject.now()])
  })

  clause('a snoozed job comes back after its delay, and the attempt does not count', async (subject) => {
    const id = await subject.id({ maxAttempts: 1 })
    for (let naps = 0; naps < 3; naps++) {
      const job = await subject.claimOne('a')
      assert.equal(job.attempt, 1)
      await subject.accept('a', job, { outcome: 'snoozed', delay: 1_000 })
      assert.equal(await subject.state(id), 'scheduled')
      await subject.advance(1_000)
    }
    assert.equal((await subject.job(id)).attempt, 0)
    await subject.complete('a', await subject.claimOne('a'))
  })

  clause('many ends of every kind are told in one turn', async (subject) => {
    await subject.add({}, {}, {}, {}, {})
    const [completed, failed, dead, cancelled, snoozed] = await subject.claim('a', 5)
    const { refused } = await subject.turn('a', {
      ends: [
        { id: completed!.id, attempt: 1, outcome: 'completed', result: '1' },
        { id: failed!.id, attempt: 1, outcome: 'failed', error: 'no', delay: 50 },
        { id: dead!.id, attempt: 1, outcome: 'dead', error: 'never' },
        { id: cancelled!.id, attempt: 1, outcome: 'cancelled', error: 'unwanted' },
        { id: snoozed!.id, attempt: 1, outcome: 'snoozed', delay: 50 },
      ],
    })
    assert.deepEqual(refused, [])
    const counts = countsOf({ completed: 1, retryable: 1, dead: 1, cancelled: 1, scheduled: 1 })
    assert.deepEqual(await subject.backend.inspect.counts(), counts)
  })

  clause('progress and log lines of a running job can be read', async (subject) => {
    const id = await subject.id()
    await subject.claimOne('a')
    await subject.backend.work.report('a', [{ id, progress: '25', logs: ['one'] }])
    await subject.backend.work.report('a', [{ id, progress: '50', logs: ['two', 'three'] }])
    assert.equal((await subject.job(id)).progress, '50')
    assert.deepEqual(await subject.backend.inspect.logs(id), ['one', 'two', 'three'])
  })

  clause('what is reported of a job by somebody else is dropped', async (subject) => {
    const id = await subject.id()
    await subject.claimOne('a')
    await subject.backend.work.report('b', [{ id, progress: '99', logs: ['wrong'] }])
    assert.deepEqual([(await subject.job(id)).progress, await subject.backend.inspect.logs(id)], [undefined, []])
  })

  clause('of the log lines of a job the newest thousand are kept', async (subject) => {
    const id = await subject.id()
    await subject.claimOne('a')
    const lines = Array.from({ length: 1_500 }, (_, line) => `line ${line}`)
    await subject.backend.work.report('a', [{ id, logs: lines.slice(0, 900) }])
    await subject.backend.work.report('a', [{ id, logs: lines.slice(900) }])
    assert.deepEqual(await subject.backend.inspect.logs(id), lines.slice(500))
  })
}

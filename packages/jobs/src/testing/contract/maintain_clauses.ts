import assert from 'node:assert/strict'
import { newId } from '@tailwater/core'
import { inEveryState } from './inspect_clauses.ts'
import { type Clause, countsOf, idsOf, newJob, sorted } from './subject.ts'

/** What operators can do, deleting apart. */
export function maintainClauses(clause: Clause): void {
  clause('a paused queue gives nothing until it is resumed', async (subject) => {
    const { maintain, inspect } = subject.backend
    await subject.id()
    await maintain.pause('mail')
    assert.deepEqual(await subject.claim('a'), [])
    assert.equal((await inspect.stats('mail')).paused, true)
    await maintain.resume('mail')
    assert.equal((await subject.claim('a')).length, 1)
    assert.equal((await inspect.stats('mail')).paused, false)
  })

  clause('what runs when its queue is paused may end', async (subject) => {
    await subject.id()
    const job = await subject.claimOne('a')
    await subject.backend.maintain.pause('mail')
    await subject.complete('a', job)
    assert.equal(await subject.state(job.id), 'completed')
  })

  clause('a paused queue takes jobs in, and other queues go on', async (subject) => {
    await subject.backend.maintain.pause('mail')
    const [, text] = await subject.add({}, { queue: 'sms' })
    const wants = ['mail', 'sms'].map((queue) => ({ queue, count: 1 }))
    assert.deepEqual(idsOf((await subject.turn('a', { wants })).claimed), [text])
  })

  clause('configuring a queue does not resume it', async (subject) => {
    await subject.backend.maintain.pause('mail')
    await subject.limit({ concurrency: 5 })
    await subject.id()
    assert.deepEqual(await subject.claim('a'), [])
  })

  clause('a job that does not run is cancelled at once', async (subject) => {
    const ids = await inEveryState(subject)
    for (const state of ['scheduled', 'available', 'retryable'] as const) {
      assert.equal(await subject.backend.maintain.cancel(ids[state]), true)
      assert.equal(await subject.state(ids[state]), 'cancelled')
    }
    assert.equal((await subject.job(ids.available)).finishedAt, await subject.now())
    await subject.advance(1e6)
    assert.deepEqual(idsOf(await subject.claim('b', 9)), [ids.running])
  })

  clause('a job that has ended, or does not exist, cannot be cancelled', async (subject) => {
    const ids = await inEveryState(subject)
    for (const id of [ids.completed, ids.cancelled, ids.dead, newId()])
      assert.equal(await subject.backend.maintain.cancel(id), false)
  })

  clause('a running job is asked to stop in every turn of its worker until its end is told', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    assert.equal(await subject.backend.maintain.cancel(id), true)
    for (let turns = 0; turns < 2; turns++) assert.deepEqual((await subject.turn('a')).cancelled, [id])
    assert.deepEqual((await subject.turn('b')).cancelled, [])
    const { cancelled } = await subject.end('a', job, { outcome: 'cancelled', error: 'asked' })
    assert.deepEqual([cancelled, await subject.state(id)], [[], 'cancelled'])
  })

  clause('a job that somebody asked to cancel may still complete, but is not tried again', async (subject) => {
    const [completes, fails, sleeps] = await subject.add({}, {}, {})
    const jobs = await subject.claim('a', 3)
    for (const id of [completes, fails, sleeps]) await subject.backend.maintain.cancel(id!)
    await subject.complete('a', jobs[0]!)
    await subject.accept('a', jobs[1]!, { outcome: 'failed', error: 'no', delay: 0 })
    await subject.accept('a', jobs[2]!, { outcome: 'snoozed', delay: 0 })
    assert.deepEqual(await subject.states([completes!, fails!, sleeps!]), ['completed', 'cancelled', 'cancelled'])
  })

  clause('who leaves a job that somebody asked to cancel leaves it cancelled', async (subject) => {
    const id = await subject.id()
    await subject.claimOne('a')
    await subject.backend.maintain.cancel(id)
    await subject.backend.work.leave('a')
    assert.equal(await subject.state(id), 'cancelled')
  })

  clause('retrying makes what ended in vain, or waits for its time, available now', async (subject) => {
    const ids = await inEveryState(subject)
    for (const state of ['dead', 'cancelled', 'scheduled', 'retryable'] as const) {
      assert.equal(await subject.backend.maintain.retry(ids[state]), true)
      assert.equal(await subject.state(ids[state]), 'available')
      assert.equal((await subject.job(ids[state])).finishedAt, undefined)
    }
    for (const id of [ids.pending, ids.available, ids.running, ids.completed, newId()])
      assert.equal(await subject.backend.maintain.retry(id), false)
    assert.equal((await subject.claim('b', 9)).length, 5)
  })

  clause(
    'a dead job that is retried has all its attempts again, a retryable one those that are left',
    async (subject) => {
      const [dead, failed] = await subject.add({ maxAttempts: 1 }, { maxAttempts: 2 })
      for (const job of await subject.claim('a', 2))
        await subject.accept('a', job, { outcome: 'failed', error: 'no', delay: 1e6 })
      for (const id of [dead!, failed!]) await subject.backend.maintain.retry(id)
      const jobs = await subject.claim('a', 2)
      assert.deepEqual(
        jobs.map(({ attempt }) => attempt),
        [1, 2],
      )
    },
  )

  clause('redriving retries all that a filter means, oldest first and in bites', async (subject) => {
    const ids = await subject.add({}, {}, {}, {}, {})
    for (const job of await subject.claim('a', 5)) {
      await subject.accept('a', job, { outcome: 'dead', error: 'no' })
      await subject.advance(1)
    }
    const { maintain } = subject.backend
    const filter = { queue: 'mail', states: ['dead'] as const }
    assert.deepEqual([await maintain.redrive(filter, 2), await maintain.redrive(filter, 2)], [2, 2])
    assert.deepEqual(await subject.states(ids), ['available', 'available', 'available', 'available', 'dead'])
    assert.deepEqual([await maintain.redrive(filter, 2), await maintain.redrive(filter, 2)], [1, 0])
    assert.equal((await subject.workOff('a')).length, 5)
  })

  clause('redriving leaves alone what the filter does not mean, and what has not ended in vain', async (subject) => {
    const ids = await inEveryState(subject)
    assert.equal(await subject.backend.maintain.redrive({ kind: 'other' }, 100), 0)
    assert.equal(await subject.backend.maintain.redrive({ states: ['dead'] }, 100), 1)
    assert.deepEqual(await subject.states([ids.dead, ids.cancelled, ids.completed]), [
      'available',
      'cancelled',
      'completed',
    ])
  })

  clause('redriving may lead into another queue', async (subject) => {
    const id = await subject.id()
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'dead', error: 'no' })
    assert.equal(await subject.backend.maintain.redrive({ states: ['dead'] }, 10, 'later'), 1)
    const { inspect } = subject.backend
    assert.deepEqual(await inspect.counts('mail'), countsOf({}))
    assert.deepEqual(await inspect.counts('later'), countsOf({ available: 1 }))
    assert.equal((await subject.claimOne('a', 'later')).id, id)
  })

  clause('payload and priority of a waiting job can be changed', async (subject) => {
    const [first, second] = await subject.add({}, {})
    assert.equal(await subject.backend.maintain.edit(second!, { payload: '{"new":1}', priority: 1 }), true)
    const jobs = await subject.claim('a', 2)
    assert.deepEqual(idsOf(jobs), [second, first])
    assert.deepEqual([jobs[0]!.payload, jobs[0]!.priority], ['{"new":1}', 1])
  })

  clause('the time of a waiting job can be changed, both ways', async (subject) => {
    const now = await subject.now()
    const [soon, late] = await subject.add({}, { delay: 1e6 })
    const { maintain } = subject.backend
    assert.equal(await maintain.edit(soon!, { runAt: now + 5_000 }), true)
    assert.equal(await maintain.edit(late!, { runAt: now - 1 }), true)
    assert.deepEqual(await subject.states([soon!, late!]), ['scheduled', 'available'])
    assert.deepEqual(idsOf(await subject.claim('a', 2)), [late])
    await subject.advance(5_000)
    assert.deepEqual(idsOf(await subject.claim('a', 2)), [soon])
  })

  clause('a waiting job can be moved into another queue', async (subject) => {
    const ids = await subject.add({}, { delay: 1_000 })
    for (const id of ids) assert.equal(await subject.backend.maintain.edit(id, { queue: 'sms' }), true)
    const { inspect } = subject.backend
    assert.deepEqual(await inspect.counts('mail'), countsOf({}))
    assert.deepEqual(await inspect.counts('sms'), countsOf({ available: 1, scheduled: 1 }))
    await subject.advance(1_000)
    assert.deepEqual(await subject.claim('a', 5), [])
    assert.deepEqual(idsOf(await subject.claim('a', 5, 'sms')), ids)
  })

  clause('a dead job that is edited stays dead until it is retried', async (subject) => {
    const id = await subject.id()
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'dead', error: 'no' })
    const { maintain } = subject.backend
    assert.equal(await maintain.edit(id, { payload: '{"fixed":true}', runAt: 1 }), true)
    assert.equal(await subject.state(id), 'dead')
    await maintain.retry(id)
    assert.equal((await subject.claimOne('a')).payload, '{"fixed":true}')
  })

  clause('a job that runs, is completed or does not exist cannot be edited', async (subject) => {
    const ids = await inEveryState(subject)
    for (const id of [ids.running, ids.completed, newId()])
      assert.equal(await subject.backend.maintain.edit(id, { payload: '{"x":1}' }), false)
    assert.equal((await subject.job(ids.running)).payload, '{}')
  })

  clause('an edited parent waits for its children as before', async (subject) => {
    const child = newJob({ priority: 0 })
    const id = await subject.id({ children: [child] })
    assert.equal(await subject.backend.maintain.edit(id, { payload: '{"new":1}', priority: 0 }), true)
    assert.equal(await subject.state(id), 'pending')
    assert.deepEqual(await subject.workOff('a'), [child.id, id])
  })

  clause('the sweep makes available what is due in queues that nobody asks for', async (subject) => {
    const ids = await subject.add({ delay: 100 }, { queue: 'sms', delay: 100 })
    await subject.advance(100)
    await subject.backend.maintain.sweep()
    assert.deepEqual(sorted(await subject.states(ids)), ['available', 'available'])
  })
}

import assert from 'node:assert/strict'
import { newId } from '@tailwater/core'
import { inEveryState } from './inspect_clauses.ts'
import { type Clause, countsOf, keepAll, newJob, type Subject } from './subject.ts'

/** Milliseconds of a day. */
const DAY = 86_400_000

/** How jobs go. */
export function deletionClauses(clause: Clause): void {
  clause('any job that does not run can be removed', async (subject) => {
    const ids = await inEveryState(subject)
    const { maintain, inspect } = subject.backend
    assert.equal(await maintain.remove(ids.running), false)
    const { running, ...others } = ids
    for (const id of Object.values(others)) {
      assert.equal(await maintain.remove(id), true)
      assert.equal(await maintain.remove(id), false)
      assert.equal(await inspect.get(id), undefined)
    }
    assert.deepEqual(await inspect.counts(), countsOf({ running: 1, completed: 1 }))
    await subject.advance(1e6 + 1)
    await subject.turn('a')
    assert.deepEqual(await subject.claim('a', 9), [])
    assert.equal(await maintain.remove(newId()), false)
  })

  clause('what is removed takes its log along', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    await subject.backend.work.report('a', [{ id, logs: ['line'] }])
    await subject.complete('a', job)
    await subject.backend.maintain.remove(id)
    assert.deepEqual(await subject.backend.inspect.logs(id), [])
  })

  clause('cleaning deletes what ended long enough ago, in bites', async (subject) => {
    await endInTurn(subject, 'completed', 5)
    await subject.advance(500)
    const young = await endInTurn(subject, 'completed', 1)
    const { maintain, inspect } = subject.backend
    await subject.advance(501)
    const filter = { states: ['completed'] as const }
    assert.deepEqual([await maintain.clean(filter, 1_000, 3), await maintain.clean(filter, 1_000, 3)], [3, 2])
    assert.equal(await maintain.clean(filter, 1_000, 3), 0)
    assert.deepEqual(await inspect.counts(), countsOf({ completed: 1 }))
    assert.equal(await subject.state(young[0]!), 'completed')
  })

  clause('cleaning counts the age of what has not ended from its enqueueing', async (subject) => {
    const [available, scheduled] = await subject.add({}, { delay: 1e6 })
    await subject.advance(2_000)
    const late = await subject.id()
    assert.equal(await subject.backend.maintain.clean({ states: ['available', 'scheduled'] }, 1_000, 10), 2)
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ available: 1 }))
    for (const id of [available!, scheduled!]) assert.equal(await subject.backend.inspect.get(id), undefined)
    assert.deepEqual(await subject.workOff('a'), [late])
  })

  clause('cleaning keeps to the filter, and never deletes what runs', async (subject) => {
    const ids = await inEveryState(subject)
    await subject.advance(2_000)
    const { maintain } = subject.backend
    assert.equal(await maintain.clean({ states: ['dead'], kind: 'other' }, 1, 10), 0)
    assert.equal(await maintain.clean({ states: ['dead'], queue: 'mail' }, 1, 10), 1)
    assert.equal(await maintain.clean({ states: ['running'] }, 1, 10), 0)
    assert.equal(await subject.state(ids.running), 'running')
  })

  clause('erasing deletes all that carries a key, and asks what runs to stop', async (subject) => {
    const [running] = await subject.add({ key: 'ann', priority: 0 })
    const job = await subject.claimOne('a')
    await subject.add({ key: 'ann' }, { key: 'ann', delay: 1e6 }, { key: 'ben' }, {})
    const { maintain, inspect } = subject.backend
    let dealtWith = 0
    for (let bite = await maintain.erase('ann', 2); bite > 0; bite = await maintain.erase('ann', 2)) dealtWith += bite
    assert.equal(dealtWith, 3)
    assert.deepEqual((await subject.turn('a')).cancelled, [running])
    await subject.accept('a', job, { outcome: 'cancelled', error: 'asked' })
    assert.equal(await maintain.erase('ann', 2), 1)
    assert.deepEqual(await inspect.counts(), countsOf({ available: 2 }))
    assert.deepEqual((await inspect.list({ key: 'ann' }, { limit: 5 })).jobs, [])
  })

  for (const state of ['completed', 'cancelled', 'dead'] as const) {
    clause(`the sweep deletes ${state} jobs that are older than they are kept`, async (subject) => {
      const retention = { ...keepAll, [state]: { age: 5_000 } }
      await subject.backend.maintain.configure('mail', {}, retention)
      await endInTurn(subject, state, 3)
      await subject.advance(4_000)
      await endInTurn(subject, state, 2)
      await subject.advance(990)
      assert.deepEqual(await swept(subject), countsOf({ [state]: 5 }))
      await subject.advance(10)
      assert.deepEqual(await swept(subject), countsOf({ [state]: 2 }))
    })

    clause(`the sweep keeps the newest ${state} jobs, as many as were asked for`, async (subject) => {
      await subject.backend.maintain.configure('mail', {}, { ...keepAll, [state]: { age: 1e9, count: 2 } })
      const ids = await endInTurn(subject, state, 5)
      assert.deepEqual(await swept(subject), countsOf({ [state]: 2 }))
      assert.deepEqual(await subject.states(ids.slice(3)), [state, state])
    })
  }

  clause('a queue that nobody has configured keeps what completed for 7 days and what died for 30', async (subject) => {
    await endInTurn(subject, 'dead', 1)
    await endInTurn(subject, 'completed', 1)
    await endInTurn(subject, 'cancelled', 1)
    await subject.advance(7 * DAY - 1_000)
    assert.deepEqual(await swept(subject), countsOf({ dead: 1, completed: 1, cancelled: 1 }))
    await subject.advance(2_000)
    assert.deepEqual(await swept(subject), countsOf({ dead: 1 }))
    await subject.advance(23 * DAY)
    assert.deepEqual(await swept(subject), countsOf({}))
  })

  clause('retention is of its own queue and state', async (subject) => {
    await subject.backend.maintain.configure('mail', {}, { ...keepAll, completed: { age: 1_000, count: 0 } })
    await subject.backend.maintain.configure('sms', {}, keepAll)
    await endInTurn(subject, 'dead', 1)
    await endInTurn(subject, 'completed', 1)
    await subject.id({ queue: 'sms' })
    await subject.workOff('a', 'sms')
    await subject.advance(2_000)
    assert.deepEqual(await swept(subject), countsOf({ dead: 1, completed: 1 }))
  })

  clause('a child is kept until its parent has ended', async (subject) => {
    await subject.backend.maintain.configure('mail', {}, { ...keepAll, completed: { age: 1_000, count: 0 } })
    const children = [newJob({ priority: 0 }), newJob({ priority: 1 })]
    const parent = await subject.id({ children })
    await subject.complete('a', await subject.claimOne('a'), '"kept"')
    await subject.advance(2_000)
    await swept(subject)
    assert.equal((await subject.job(children[0]!.id)).result, '"kept"')
    await subject.complete('b', await subject.claimOne('b'))
    const job = await subject.claimOne('b')
    assert.equal(job.id, parent)
    await swept(subject)
    assert.equal((await subject.backend.inspect.children(parent)).length, 2)
    await subject.complete('b', job)
    await subject.advance(2_000)
    await swept(subject)
    await swept(subject)
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({}))
  })

  clause('the sweep leaves alone what has not ended', async (subject) => {
    await subject.backend.maintain.configure(
      'mail',
      {},
      {
        completed: { age: 1, count: 0 },
        cancelled: { age: 1, count: 0 },
        dead: { age: 1, count: 0 },
      },
    )
    await inEveryState(subject)
    await subject.advance(1_000)
    const counts = { pending: 1, scheduled: 1, available: 1, running: 1, retryable: 1 }
    assert.deepEqual(await swept(subject), countsOf(counts))
  })
}

async function swept(subject: Subject) {
  await subject.backend.maintain.sweep()
  return subject.backend.inspect.counts()
}

/** Jobs that end one after the other, a millisecond apart. */
async function endInTurn(
  subject: Subject,
  state: 'completed' | 'cancelled' | 'dead',
  count: number,
): Promise<string[]> {
  const ids: string[] = []
  for (let ended = 0; ended < count; ended++) {
    ids.push(await subject.id())
    const job = await subject.claimOne('ender')
    const error = 'no'
    await subject.accept(
      'ender',
      job,
      state === 'completed' ? { outcome: state, result: '1' } : { outcome: state, error },
    )
    if (ended < count - 1) await subject.advance(1)
  }
  return ids
}

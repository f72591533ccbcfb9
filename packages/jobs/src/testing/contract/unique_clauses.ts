import assert from 'node:assert/strict'
import { type Clause, countsOf, LEASE, newJob } from './subject.ts'

const untilDone = { key: 'report:7' }

/** What `NewJob.unique` promises. */
export function uniqueClauses(clause: Clause): void {
  clause('a second job of a unique key is a duplicate of the first', async (subject) => {
    const first = await subject.addOne({ unique: untilDone, payload: '1' })
    const second = await subject.addOne({ unique: untilDone, payload: '2' })
    assert.deepEqual([first.outcome, second], ['stored', { id: first.id, outcome: 'duplicate' }])
    assert.equal((await subject.job(first.id)).payload, '1')
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ available: 1 }))
  })

  clause('other keys, and jobs without one, are independent', async (subject) => {
    const stored = await subject.backend.jobs.add([
      newJob({ unique: untilDone }),
      newJob({ unique: { key: 'report:8' } }),
      newJob(),
    ])
    assert.deepEqual(
      stored.map(({ outcome }) => outcome),
      ['stored', 'stored', 'stored'],
    )
  })

  clause('duplicates within one batch are seen', async (subject) => {
    const stored = await subject.backend.jobs.add([newJob({ unique: untilDone }), newJob({ unique: untilDone })])
    assert.deepEqual(stored[1], { id: stored[0]!.id, outcome: 'duplicate' })
  })

  clause('of many that enqueue together one stores', async (subject) => {
    const stored = await Promise.all(Array.from({ length: 20 }, () => subject.addOne({ unique: untilDone })))
    assert.equal(stored.filter(({ outcome }) => outcome === 'stored').length, 1)
    assert.equal(new Set(stored.map(({ id }) => id)).size, 1)
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ available: 1 }))
  })

  clause('a unique job told twice is no duplicate of itself', async (subject) => {
    const job = newJob({ unique: untilDone })
    await subject.backend.jobs.add([job])
    assert.deepEqual(await subject.backend.jobs.add([job]), [{ id: job.id, outcome: 'stored' }])
  })

  clause('a key stands while its job runs or waits for a retry', async (subject) => {
    const id = await subject.id({ unique: untilDone })
    const job = await subject.claimOne('a')
    assert.equal((await subject.addOne({ unique: untilDone })).outcome, 'duplicate')
    await subject.accept('a', job, { outcome: 'failed', error: 'no', delay: 100 })
    assert.deepEqual(await subject.addOne({ unique: untilDone }), { id, outcome: 'duplicate' })
  })

  for (const outcome of ['completed', 'dead', 'cancelled'] as const)
    clause(`a key is free when its job is ${outcome}`, async (subject) => {
      await subject.id({ unique: untilDone })
      const ending = outcome === 'completed' ? { outcome, result: undefined } : { outcome, error: 'no' }
      await subject.accept('a', await subject.claimOne('a'), ending)
      assert.equal((await subject.addOne({ unique: untilDone })).outcome, 'stored')
    })

  clause('a key is free when its job is removed or cancelled before it began', async (subject) => {
    const first = await subject.id({ unique: untilDone })
    assert.equal(await subject.backend.maintain.remove(first), true)
    const second = await subject.addOne({ unique: untilDone })
    assert.equal(second.outcome, 'stored')
    await subject.backend.maintain.cancel(second.id)
    assert.equal((await subject.addOne({ unique: untilDone })).outcome, 'stored')
  })

  clause('a key with a time stands for that time, though its job has ended', async (subject) => {
    const unique = { key: 'k', ttl: 10_000 }
    const id = await subject.id({ unique })
    await subject.complete('a', await subject.claimOne('a'))
    await subject.advance(9_999)
    assert.deepEqual(await subject.addOne({ unique }), { id, outcome: 'duplicate' })
    await subject.advance(1)
    assert.equal((await subject.addOne({ unique })).outcome, 'stored')
  })

  clause('a key with a time is free after it, though its job has not ended', async (subject) => {
    const unique = { key: 'k', ttl: 10_000 }
    await subject.id({ unique })
    await subject.claimOne('a')
    await subject.advance(10_000)
    assert.equal((await subject.addOne({ unique })).outcome, 'stored')
  })

  clause('the end of a job whose key was taken over does not free it', async (subject) => {
    const unique = { key: 'k', ttl: 10_000 }
    await subject.id({ unique })
    const old = await subject.claimOne('a')
    await subject.advance(10_000)
    const second = await subject.addOne({ unique: { key: 'k' } })
    await subject.complete('a', old)
    assert.deepEqual(await subject.addOne({ unique }), { id: second.id, outcome: 'duplicate' })
    assert.equal(await subject.backend.maintain.remove(old.id), true)
    assert.deepEqual(await subject.addOne({ unique }), { id: second.id, outcome: 'duplicate' })
  })

  clause('a replacement gives the standing job its payload, priority and time', async (subject) => {
    const first = await subject.addOne({ unique: untilDone, payload: '1' })
    const second = await subject.addOne({
      unique: { ...untilDone, replace: true },
      payload: '2',
      priority: 3,
      delay: 5_000,
    })
    assert.deepEqual(second, { id: first.id, outcome: 'replaced' })
    const { payload, priority, state, runAt } = await subject.job(first.id)
    assert.deepEqual([payload, priority, state, runAt], ['2', 3, 'scheduled', (await subject.now()) + 5_000])
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ scheduled: 1 }))
    assert.deepEqual(await subject.claim('a'), [])
    await subject.advance(5_000)
    assert.equal((await subject.claimOne('a')).payload, '2')
  })

  clause('a replacement may bring a scheduled job forward', async (subject) => {
    const id = await subject.id({ unique: untilDone, delay: 5_000 })
    await subject.addOne({ unique: { ...untilDone, replace: true } })
    assert.equal((await subject.claimOne('a')).id, id)
    await subject.advance(5_000)
    assert.deepEqual(await subject.claim('a'), [])
  })

  clause('the time of a replaced key begins anew', async (subject) => {
    const unique = { key: 'k', ttl: 10_000, replace: true }
    await subject.id({ unique, delay: 60_000 })
    await subject.advance(9_000)
    assert.equal((await subject.addOne({ unique, delay: 60_000 })).outcome, 'replaced')
    await subject.advance(9_000)
    assert.equal((await subject.addOne({ unique, delay: 60_000 })).outcome, 'replaced')
  })

  clause('a job that runs, or has run, is not replaced', async (subject) => {
    const unique = { ...untilDone, replace: true }
    const id = await subject.id({ unique, payload: '1' })
    const job = await subject.claimOne('a')
    assert.deepEqual(await subject.addOne({ unique, payload: '2' }), { id, outcome: 'duplicate' })
    await subject.accept('a', job, { outcome: 'failed', error: 'no', delay: 100 })
    assert.deepEqual(await subject.addOne({ unique, payload: '2' }), { id, outcome: 'duplicate' })
    assert.equal((await subject.job(id)).payload, '1')
  })

  clause('a rescued job has begun, and is not replaced', async (subject) => {
    const unique = { ...untilDone, replace: true }
    const id = await subject.id({ unique, payload: '1' })
    await subject.claimOne('a')
    await subject.advance(LEASE + 1)
    await subject.backend.maintain.sweep()
    assert.deepEqual(await subject.addOne({ unique, payload: '2' }), { id, outcome: 'duplicate' })
    assert.deepEqual([(await subject.job(id)).payload, await subject.state(id)], ['1', 'available'])
  })

  clause('nothing below a duplicate is stored', async (subject) => {
    await subject.id({ unique: untilDone })
    const { outcome } = await subject.addOne({ unique: untilDone, children: [newJob()] })
    assert.equal(outcome, 'duplicate')
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ available: 1 }))
  })

  clause('a dead job that is retried does not take its key back', async (subject) => {
    const id = await subject.id({ unique: untilDone })
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'dead', error: 'no' })
    const second = await subject.addOne({ unique: untilDone })
    assert.equal(await subject.backend.maintain.retry(id), true)
    assert.deepEqual(await subject.addOne({ unique: untilDone }), { id: second.id, outcome: 'duplicate' })
  })
}

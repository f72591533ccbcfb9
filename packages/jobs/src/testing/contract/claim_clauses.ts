import assert from 'node:assert/strict'
import { type Clause, countsOf, idsOf, LEASE, newJob, sorted } from './subject.ts'

/** Who owns a job. */
export function claimClauses(clause: Clause): void {
  clause('two turns that one worker takes at a time get different jobs, and end both', async (subject) => {
    const ids = await subject.add(...Array.from({ length: 40 }, () => ({})))
    const halves = await Promise.all([subject.claim('a', 20), subject.claim('a', 20)])
    assert.deepEqual(sorted(idsOf(halves.flat())), sorted(ids))
    const ends = halves.map((jobs) =>
      jobs.map(({ id, attempt }) => ({ id, attempt, outcome: 'completed' as const, result: undefined })),
    )
    const replies = await Promise.all(ends.map((half) => subject.turn('a', { ends: half })))
    assert.deepEqual(
      replies.map(({ refused }) => refused),
      [[], []],
    )
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ completed: 40 }))
  })

  clause('two turns at a time keep together to what a queue may run at once', async (subject) => {
    await subject.limit({ concurrency: 5 })
    await subject.add(...Array.from({ length: 20 }, () => ({})))
    const halves = await Promise.all([subject.claim('a', 5), subject.claim('a', 5)])
    assert.equal(halves.flat().length, 5)
  })

  clause('a claimed job carries what its handler needs', async (subject) => {
    const id = await subject.id({ key: 'k', timeout: 9, requestId: 'r', traceparent: 't', priority: 7, maxAttempts: 2 })
    await subject.advance(250)
    const job = await subject.claimOne('a')
    assert.deepEqual(job, {
      id,
      queue: 'mail',
      kind: 'send',
      payload: '{}',
      priority: 7,
      key: 'k',
      attempt: 1,
      maxAttempts: 2,
      timeout: 9,
      requestId: 'r',
      traceparent: 't',
      waited: 250,
      hasChildren: false,
    })
  })

  clause('what was not said is undefined', async (subject) => {
    await subject.id()
    const { key, timeout, requestId, traceparent } = await subject.claimOne('a')
    assert.deepEqual([key, timeout, requestId, traceparent], [undefined, undefined, undefined, undefined])
  })

  clause('a scheduled job has waited since it was due', async (subject) => {
    await subject.id({ delay: 1_000 })
    await subject.advance(1_400)
    assert.equal((await subject.claimOne('a')).waited, 400)
  })

  clause('a running job says who runs it, and since when', async (subject) => {
    const id = await subject.id()
    await subject.advance(40)
    const now = await subject.now()
    await subject.claimOne('a')
    const { state, worker, startedAt, attempt } = await subject.job(id)
    assert.deepEqual(
      { state, worker, startedAt, attempt },
      { state: 'running', worker: 'a', startedAt: now, attempt: 1 },
    )
  })

  clause('workers that claim together never get the same job', async (subject) => {
    await subject.backend.jobs.add(Array.from({ length: 60 }, () => newJob()))
    const workers = ['a', 'b', 'c', 'd', 'e', 'f']
    const lots = await Promise.all(workers.flatMap((worker) => [subject.claim(worker, 7), subject.claim(worker, 7)]))
    const ids = lots.flatMap(idsOf)
    assert.equal(new Set(ids).size, ids.length)
    assert.deepEqual(
      await subject.backend.inspect.counts(),
      countsOf({ running: ids.length, available: 60 - ids.length }),
    )
    const rest = idsOf(await subject.claim('a', 60))
    assert.equal(new Set([...ids, ...rest]).size, 60)
  })

  clause('a turn gives no more than was wanted', async (subject) => {
    await subject.add({}, {}, {}, {})
    assert.equal((await subject.claim('a', 3)).length, 3)
    assert.equal((await subject.claim('a', 0)).length, 0)
  })

  clause('the end told by another worker is refused and changes nothing', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    const { refused } = await subject.end('b', job, { outcome: 'completed', result: undefined })
    assert.deepEqual([refused, await subject.state(id)], [[id], 'running'])
    await subject.complete('a', job)
  })

  clause('the end of an earlier attempt is refused, though the worker is the same', async (subject) => {
    const id = await subject.id()
    const first = await subject.claimOne('a')
    await subject.accept('a', first, { outcome: 'failed', error: 'no', delay: 1 })
    await subject.advance(1)
    const second = await subject.claimOne('a')
    const { refused } = await subject.end('a', first, { outcome: 'completed', result: '1' })
    assert.deepEqual([refused, await subject.state(id), second.attempt], [[id], 'running', 2])
  })

  clause('an end told a second time is refused', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    await subject.complete('a', job, '1')
    const { refused } = await subject.end('a', job, { outcome: 'failed', error: 'no', delay: 0 })
    assert.deepEqual([refused, await subject.state(id)], [[id], 'completed'])
  })

  clause('the end of a job that does not exist is refused', async (subject) => {
    const { id } = newJob()
    const { refused } = await subject.end('a', { id, attempt: 1 }, { outcome: 'completed', result: undefined })
    assert.deepEqual(refused, [id])
  })

  clause('a refused end does not keep the others of its turn from counting', async (subject) => {
    const [one, two] = await subject.add({}, {})
    const jobs = await subject.claim('a', 2)
    await subject.complete('a', jobs[0]!)
    const ends = jobs.map(({ id, attempt }) => ({ id, attempt, outcome: 'completed' as const, result: undefined }))
    assert.deepEqual((await subject.turn('a', { ends })).refused, [one])
    assert.equal(await subject.state(two!), 'completed')
  })

  clause('a turn frees the place of what it ends before it claims', async (subject) => {
    await subject.limit({ concurrency: 1 })
    const ids = await subject.add({}, {})
    const job = await subject.claimOne('a')
    const reply = await subject.turn('a', {
      ends: [{ id: job.id, attempt: 1, outcome: 'completed', result: undefined }],
      wants: [{ queue: 'mail', count: 1 }],
    })
    assert.deepEqual(idsOf(reply.claimed), [ids[1]])
  })

  clause('the reply says when the next job is due', async (subject) => {
    await subject.add({ delay: 5_000 }, { delay: 2_000 }, { delay: 1_000, queue: 'sms' })
    const { nextIn } = await subject.turn('a', { wants: [{ queue: 'mail', count: 1 }] })
    assert.equal(nextIn, 2_000)
    await subject.advance(1_500)
    assert.equal((await subject.turn('a', { wants: [{ queue: 'mail', count: 1 }] })).nextIn, 500)
  })

  clause('the reply says when a retry is due, and nothing when nothing is in sight', async (subject) => {
    await subject.id()
    const job = await subject.claimOne('a')
    assert.equal((await subject.turn('a', { wants: [{ queue: 'mail', count: 1 }] })).nextIn, undefined)
    await subject.accept('a', job, { outcome: 'failed', error: 'no', delay: 700 })
    assert.equal((await subject.turn('a', { wants: [{ queue: 'mail', count: 1 }] })).nextIn, 700)
  })

  clause('leaving gives jobs back at once, first in their priority, without counting the attempt', async (subject) => {
    const [one, two] = await subject.add({}, {})
    await subject.claimOne('a')
    await subject.backend.work.leave('a')
    const { state, attempt, worker, crashes } = await subject.job(one!)
    assert.deepEqual(
      { state, attempt, worker, crashes },
      { state: 'available', attempt: 0, worker: undefined, crashes: 0 },
    )
    const jobs = await subject.claim('b', 2)
    assert.deepEqual(idsOf(jobs), [one, two])
    assert.equal(jobs[0]!.attempt, 1)
  })

  clause('who left is told no by a late end, and may come back', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    await subject.backend.work.leave('a')
    assert.deepEqual((await subject.end('a', job, { outcome: 'completed', result: undefined })).refused, [id])
    assert.equal((await subject.claimOne('a')).id, id)
    await subject.backend.work.leave('nobody')
  })

  clause('a turn without wants renews the lease', async (subject) => {
    const id = await subject.id()
    await subject.claimOne('a')
    for (let beats = 0; beats < 4; beats++) {
      await subject.advance(LEASE - 1_000)
      await subject.turn('a')
      assert.deepEqual(await subject.claim('b'), [])
    }
    assert.equal((await subject.job(id)).worker, 'a')
  })
}

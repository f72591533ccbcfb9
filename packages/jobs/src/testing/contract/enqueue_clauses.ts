import assert from 'node:assert/strict'
import { hasCode, newId } from '@tailwater/core'
import { type Clause, countsOf, newJob, type Subject } from './subject.ts'

/** What `EnqueuePort` promises, unique jobs apart. */
export function enqueueClauses(clause: Clause): void {
  clause('a stored job has all that was said of it', async (subject) => {
    const now = await subject.now()
    const id = newId()
    const said = { id, payload: '{"to":"ann"}', key: 'tenant-1', tags: ['welcome', 'de'], priority: 64, maxAttempts: 3 }
    await subject.add({ ...said, timeout: 5_000, requestId: 'r-1', traceparent: '00-aa-bb-01' })
    const { enqueuedAt, runAt, ...job } = await subject.job(id)
    assert.deepEqual([enqueuedAt, runAt], [now, now])
    assert.deepEqual(job, {
      ...said,
      queue: 'mail',
      kind: 'send',
      state: 'available',
      attempt: 0,
      crashes: 0,
      timeout: 5_000,
      requestId: 'r-1',
      traceparent: '00-aa-bb-01',
      parentId: undefined,
      pendingChildren: 0,
      startedAt: undefined,
      finishedAt: undefined,
      worker: undefined,
      progress: undefined,
      result: undefined,
      error: undefined,
    })
  })

  clause('a payload of any characters and size comes back as it was', async (subject) => {
    const payload = JSON.stringify({ text: `„ü"\\ 🐟 ${'x'.repeat(200_000)}\n` })
    const id = await subject.id({ payload })
    assert.equal((await subject.job(id)).payload, payload)
    assert.equal((await subject.claimOne('a')).payload, payload)
  })

  clause('a full batch is stored in one call', async (subject) => {
    const count = Math.min(subject.backend.jobs.maxBatch, 1_000)
    const jobs = Array.from({ length: count }, () => newJob())
    const stored = await subject.backend.jobs.add(jobs)
    assert.deepEqual(
      stored,
      jobs.map(({ id }) => ({ id, outcome: 'stored' })),
    )
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ available: count }))
  })

  clause('an empty batch stores nothing', async (subject) => {
    assert.deepEqual(await subject.backend.jobs.add([]), [])
  })

  clause('a job told twice is stored once', async (subject) => {
    const job = newJob()
    for (let times = 0; times < 2; times++)
      assert.deepEqual(await subject.backend.jobs.add([job]), [{ id: job.id, outcome: 'stored' }])
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ available: 1 }))
    assert.equal((await subject.claim('a', 5)).length, 1)
  })

  clause('a job told again while it runs does not come a second time', async (subject) => {
    const job = newJob()
    await subject.backend.jobs.add([job])
    await subject.claimOne('a')
    await subject.backend.jobs.add([job])
    assert.deepEqual(await subject.claim('b'), [])
    assert.equal(await subject.state(job.id), 'running')
  })

  clause('a delayed job is scheduled until its time has come, to the millisecond', async (subject) => {
    const id = await subject.id({ delay: 1_000 })
    assert.equal(await subject.state(id), 'scheduled')
    await subject.advance(999)
    assert.deepEqual(await subject.claim('a'), [])
    await subject.advance(1)
    assert.equal((await subject.claimOne('a')).id, id)
  })

  clause('a job may name the moment at which it is due', async (subject) => {
    const runAt = (await subject.now()) + 5_000
    const id = await subject.id({ runAt })
    assert.equal((await subject.job(id)).runAt, runAt)
    await subject.advance(4_999)
    assert.deepEqual(await subject.claim('a'), [])
    await subject.advance(1)
    assert.equal((await subject.claimOne('a')).id, id)
  })

  clause('of a delay and a moment the later one counts, and one that is past means now', async (subject) => {
    const now = await subject.now()
    const [later, sooner, past] = await subject.add(
      { delay: 1_000, runAt: now + 2_000 },
      { delay: 3_000, runAt: now + 2_000 },
      { runAt: now - 60_000 },
    )
    const due = await Promise.all([later, sooner, past].map(async (id) => (await subject.job(id!)).runAt - now))
    assert.deepEqual(due, [2_000, 3_000, 0])
    assert.equal(await subject.state(past!), 'available')
  })

  clause('wakes whoever listens when a job becomes available, until they stop listening', async (subject) => {
    const heard = await wakesOf(subject, 'mail')
    await subject.id()
    await heard.first
    await heard.end()
  })

  clause('wakes with the name of the queue', async (subject) => {
    const heard = await wakesOf(subject, 'sms')
    await subject.id({ queue: 'sms' })
    await heard.first
    await heard.end()
  })

  clause('wakes for a batch of several queues', async (subject) => {
    const heard = [await wakesOf(subject, 'sms'), await wakesOf(subject, 'mail')]
    await subject.add({ queue: 'mail' }, { queue: 'sms' })
    for (const { first, end } of heard) {
      await first
      await end()
    }
  })

  clause('a transaction that the backend cannot take part in is refused', async (subject) => {
    if (subject.backend.name === 'postgres') return
    const tx = { query: async () => ({ rows: [] }) }
    await assert.rejects(subject.backend.jobs.add([newJob()], tx as never), (error) =>
      hasCode(error, 'E_JOB_TRANSACTION'),
    )
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({}))
  })
}

async function wakesOf({ backend }: Subject, queue: string) {
  const { promise: first, resolve } = Promise.withResolvers<void>()
  const end = await backend.jobs.onAvailable((name) => {
    if (name === queue) resolve()
  })
  return { first, end }
}

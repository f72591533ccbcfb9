import assert from 'node:assert/strict'
import { newId } from '@tailwater/core'
import type { JobFilter } from '../../backend/inspect_port.ts'
import { bucketOf } from '../../histogram.ts'
import { type Clause, countsOf, idsOf, newJob, type Subject, sorted } from './subject.ts'

/** What readers see. */
export function inspectClauses(clause: Clause): void {
  clause('counts are exact in every state, of each queue and of all', async (subject) => {
    await inEveryState(subject)
    await subject.add({ queue: 'sms' }, { queue: 'sms', delay: 1_000 })
    const mail = {
      pending: 1,
      scheduled: 1,
      available: 1,
      running: 1,
      retryable: 1,
      completed: 2,
      cancelled: 1,
      dead: 1,
    }
    const { inspect } = subject.backend
    assert.deepEqual(await inspect.counts('mail'), countsOf(mail))
    assert.deepEqual(await inspect.counts('sms'), countsOf({ scheduled: 1, available: 1 }))
    assert.deepEqual(await inspect.counts(), countsOf({ ...mail, scheduled: 2, available: 2 }))
    assert.deepEqual(await inspect.counts('unheard-of'), countsOf({}))
    assert.deepEqual(await inspect.queues(), ['mail', 'sms'])
  })

  clause('a queue that was configured is known without jobs', async (subject) => {
    await subject.limit({}, 'quiet')
    assert.deepEqual(await subject.backend.inspect.queues(), ['quiet'])
  })

  clause('what does not exist is not found', async (subject) => {
    const id = newId()
    const { inspect } = subject.backend
    assert.equal(await inspect.get(id), undefined)
    assert.deepEqual([await inspect.children(id), await inspect.logs(id)], [[], []])
    assert.deepEqual(await inspect.list({}, { limit: 10 }), { jobs: [], next: undefined })
  })

  clause('an id that is none is not found either', async (subject) => {
    assert.equal(await subject.backend.inspect.get('not-an-id'), undefined)
  })

  clause('a cursor that no page gave is refused', async (subject) => {
    await subject.add({})
    for (const cursor of ['nope', ':', 'NaN:0', "'; --", 'a\0b'])
      await assert.rejects(subject.backend.inspect.list({}, { cursor, limit: 10 }), { code: 'E_OPTIONS' })
  })

  clause('a listed job is the job that can be got', async (subject) => {
    const id = await subject.id({ key: 'k', tags: ['t'], payload: '{"a":1}' })
    const { jobs } = await subject.backend.inspect.list({}, { limit: 10 })
    assert.deepEqual(jobs, [await subject.job(id)])
  })

  clause('a list is newest first, and pages join without gap or repetition', async (subject) => {
    const ids: string[] = []
    for (let lot = 0; lot < 5; lot++) {
      ids.push(...(await subject.add({}, {}, {})))
      await subject.advance(1)
    }
    const pages = await pagesOf(subject, {}, 4)
    assert.deepEqual(
      pages.map((page) => page.length),
      [4, 4, 4, 3],
    )
    assert.deepEqual(pages.flat(), ids.toReversed())
  })

  clause('jobs that come in between two pages do not move the second', async (subject) => {
    const ids = await subject.add({}, {}, {}, {})
    const first = await subject.backend.inspect.list({}, { limit: 2 })
    await subject.advance(1)
    await subject.add({}, {})
    const second = await subject.backend.inspect.list({}, { limit: 2, cursor: first.next! })
    assert.deepEqual(idsOf(second.jobs), ids.slice(0, 2).toReversed())
  })

  clause('a page that is full and the last says so', async (subject) => {
    await subject.add({}, {})
    const { jobs, next } = await subject.backend.inspect.list({}, { limit: 2 })
    assert.equal(jobs.length, 2)
    if (next === undefined) return
    assert.deepEqual(await subject.backend.inspect.list({}, { limit: 2, cursor: next }), { jobs: [], next: undefined })
  })

  clause('a list is of the queue, kind, key or tag that was asked for', async (subject) => {
    const said = [{ queue: 'sms' }, { kind: 'digest' }, { key: 'tenant-9' }, { tags: ['blue', 'red'] }]
    const ids = await subject.add(...said)
    const filters: JobFilter[] = [{ queue: 'sms' }, { kind: 'digest' }, { key: 'tenant-9' }, { tag: 'red' }]
    for (const [index, filter] of filters.entries()) assert.deepEqual(await listed(subject, filter), [ids[index]])
    assert.deepEqual(await listed(subject, { queue: 'sms', kind: 'digest' }), [])
    assert.deepEqual(await listed(subject, { queue: 'mail', kind: 'digest' }), [ids[1]])
  })

  clause('a list is of the states that were asked for', async (subject) => {
    const ids = await inEveryState(subject)
    for (const [state, id] of Object.entries(ids))
      assert.ok((await listed(subject, { states: [state as keyof typeof ids] })).includes(id), state)
    const both = await listed(subject, { states: ['dead', 'cancelled'] })
    assert.deepEqual(sorted(both), sorted([ids.dead, ids.cancelled]))
    assert.deepEqual(await listed(subject, { states: [] }), [])
  })

  clause('a list is of the time that was asked for', async (subject) => {
    const ids: string[] = []
    const start = await subject.now()
    for (let second = 0; second < 4; second++) {
      ids.push(await subject.id())
      await subject.advance(1_000)
    }
    assert.deepEqual(await listed(subject, { from: start + 1_000, to: start + 2_000 }), [ids[2], ids[1]])
    assert.deepEqual(await listed(subject, { from: start + 2_001 }), [ids[3]])
    assert.deepEqual(await listed(subject, { to: start }), [ids[0]])
  })

  clause('a list is of the payloads that contain a text, taken as it is', async (subject) => {
    const [percent, plain] = await subject.add(
      { payload: '{"note":"100%_off"}' },
      { payload: '{"note":"100 euros off"}' },
    )
    assert.deepEqual(await listed(subject, { text: '100%_off' }), [percent])
    assert.deepEqual(await listed(subject, { text: 'euros' }), [plain])
    assert.deepEqual(await listed(subject, { text: '0*o' }), [])
  })

  clause('the statistics of a queue tell how long the next job has waited', async (subject) => {
    assert.equal((await subject.backend.inspect.stats('mail')).oldestAvailable, undefined)
    await subject.id()
    await subject.advance(1_500)
    await subject.id()
    await subject.advance(500)
    const { oldestAvailable, counts, queue, paused } = await subject.backend.inspect.stats('mail')
    assert.deepEqual([oldestAvailable, queue, paused], [2_000, 'mail', false])
    assert.deepEqual(counts, countsOf({ available: 2 }))
  })

  clause('the statistics of a queue tell percentiles of what workers say of waits and runs', async (subject) => {
    const { work, inspect } = subject.backend
    const none = await inspect.stats('mail')
    assert.deepEqual([none.wait, none.run], [undefined, undefined])
    // 1 to 100 ms of waiting, 10 times as much of running, told by two workers.
    const durations = Array.from({ length: 100 }, (_, nth) => nth + 1)
    for (const half of [durations.slice(0, 50), durations.slice(50)])
      await work.observe([
        { queue: 'mail', waits: half.map((ms) => [bucketOf(ms), 1]), runs: half.map((ms) => [bucketOf(10 * ms), 1]) },
        { queue: 'sms', waits: [[bucketOf(7), 2]], runs: [] },
      ])
    const { wait, run } = await inspect.stats('mail')
    for (const [shown, unit] of [
      [wait, 1],
      [run, 10],
    ] as const) {
      assert.equal(shown?.count, 100)
      for (const [percentile, wanted] of [
        [shown.p50, 50],
        [shown.p95, 95],
        [shown.p99, 99],
      ] as const)
        assert.ok(Math.abs(percentile / (wanted * unit) - 1) < 0.1, `${percentile} instead of ${wanted * unit}`)
    }
    const other = await inspect.stats('sms')
    assert.deepEqual([other.wait?.count, other.run], [4, undefined])
  })

  clause('percentiles are those of the last hour', async (subject) => {
    const { work, inspect } = subject.backend
    await work.observe([{ queue: 'mail', waits: [[bucketOf(5), 1]], runs: [] }])
    await subject.advance(55 * 60_000)
    await work.observe([{ queue: 'mail', waits: [[bucketOf(5), 2]], runs: [] }])
    assert.equal((await inspect.stats('mail')).wait?.count, 3)
    await subject.advance(15 * 60_000)
    assert.equal((await inspect.stats('mail')).wait?.count, 2)
  })

  clause('the statistics of a queue count what ended in the last full minutes', async (subject) => {
    await subject.add({}, {}, {}, {})
    const [one, two, three, four] = await subject.claim('a', 4)
    await subject.complete('a', one!)
    await subject.complete('a', two!)
    await subject.accept('a', three!, { outcome: 'failed', error: 'no', delay: 0 })
    await subject.accept('a', four!, { outcome: 'dead', error: 'no' })
    await subject.advance(60_000)
    assert.deepEqual(await minuteSums(subject), [2, 2])
    await subject.advance(62 * 60_000)
    assert.deepEqual(await minuteSums(subject), [0, 0])
  })
}

async function minuteSums(subject: Subject): Promise<number[]> {
  const { minutes } = await subject.backend.inspect.stats('mail')
  assert.ok(minutes.length <= 60)
  assert.ok(minutes.every(({ at }, index) => at % 60_000 === 0 && (index === 0 || at > minutes[index - 1]!.at)))
  return [minutes.reduce((sum, { completed }) => sum + completed, 0), minutes.reduce((sum, m) => sum + m.failed, 0)]
}

async function listed(subject: Subject, filter: JobFilter): Promise<string[]> {
  return (await pagesOf(subject, filter, 100)).flat()
}

async function pagesOf(subject: Subject, filter: JobFilter, limit: number): Promise<string[][]> {
  const pages: string[][] = []
  let cursor: string | undefined
  do {
    const { jobs, next } = await subject.backend.inspect.list(filter, { limit, ...(cursor && { cursor }) })
    pages.push(idsOf(jobs))
    cursor = next
  } while (cursor)
  return pages
}

/** One job in each state (of completed ones two), all of one queue; the id of each. */
export async function inEveryState(subject: Subject) {
  const [dead, cancelled, completed, retryable, child, running] = await subject.add(
    ...Array.from({ length: 4 }, (_, index) => ({ priority: index })),
    { priority: 4 },
    { priority: 5 },
  )
  const jobs = await subject.claim('a', 6)
  await subject.turn('a', {
    ends: [
      { id: jobs[0]!.id, attempt: 1, outcome: 'dead', error: 'never' },
      { id: jobs[1]!.id, attempt: 1, outcome: 'cancelled', error: 'unwanted' },
      { id: jobs[2]!.id, attempt: 1, outcome: 'completed', result: '1' },
      { id: jobs[3]!.id, attempt: 1, outcome: 'failed', error: 'no', delay: 1e6 },
      { id: jobs[4]!.id, attempt: 1, outcome: 'completed', result: '2' },
    ],
  })
  const available = newJob()
  const pending = await subject.id({ children: [available] })
  const scheduled = await subject.id({ delay: 1e6 })
  assert.ok(child)
  return {
    pending,
    scheduled,
    available: available.id,
    running: running!,
    retryable: retryable!,
    completed: completed!,
    cancelled: cancelled!,
    dead: dead!,
  }
}

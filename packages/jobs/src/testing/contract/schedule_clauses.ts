import assert from 'node:assert/strict'
import { type Clause, countsOf, newJob, type Subject } from './subject.ts'

/** What `SchedulePort` promises. */
export function scheduleClauses(clause: Clause): void {
  clause('a schedule is kept as it was put', async (subject) => {
    const nextAt = await put(subject, 'nightly', 1_000)
    await put(subject, 'hourly', 500)
    const schedules = await subject.backend.schedules.list()
    assert.deepEqual(
      schedules.map(({ name }) => name),
      ['hourly', 'nightly'],
    )
    const wanted = { name: 'nightly', definition: 'rule', nextAt, lastAt: undefined, paused: false }
    assert.deepEqual(schedules[1], wanted)
  })

  clause('a schedule is due when its time has come, to the millisecond', async (subject) => {
    const nextAt = await put(subject, 'nightly', 1_000)
    await subject.advance(999)
    assert.deepEqual((await subject.backend.schedules.due(5)).schedules, [])
    await subject.advance(1)
    const { now, schedules } = await subject.backend.schedules.due(5)
    assert.equal(now, nextAt)
    assert.deepEqual(schedules[0]?.nextAt, nextAt)
  })

  clause('the schedules that are due come earliest first, no more than were asked for', async (subject) => {
    for (const [name, delay] of [
      ['c', 30],
      ['a', 10],
      ['b', 20],
      ['z', 5_000],
    ] as const)
      await put(subject, name, delay)
    await subject.advance(100)
    const names = async (limit: number) =>
      (await subject.backend.schedules.due(limit)).schedules.map(({ name }) => name)
    assert.deepEqual(
      [await names(2), await names(9)],
      [
        ['a', 'b'],
        ['a', 'b', 'c'],
      ],
    )
  })

  clause('the same definition put again changes nothing, so that every process may say it', async (subject) => {
    const nextAt = await put(subject, 'nightly', 1_000)
    await put(subject, 'nightly', 99_000)
    assert.equal((await subject.backend.schedules.list())[0]?.nextAt, nextAt)
  })

  clause('another definition replaces rule and time, and keeps what has happened', async (subject) => {
    const { schedules } = subject.backend
    const nextAt = await put(subject, 'nightly', 0)
    await schedules.fire('nightly', nextAt, nextAt + 1_000, [])
    await schedules.setPaused('nightly', true)
    await schedules.put({ name: 'nightly', definition: 'new rule', nextAt: nextAt + 7 })
    const wanted = { name: 'nightly', definition: 'new rule', nextAt: nextAt + 7, lastAt: nextAt, paused: true }
    assert.deepEqual(await schedules.list(), [wanted])
  })

  clause('firing stores the jobs and moves the schedule on', async (subject) => {
    const { schedules } = subject.backend
    const nextAt = await put(subject, 'nightly', 1_000)
    await subject.advance(1_500)
    const jobs = [newJob(), newJob({ delay: 100 })]
    assert.equal(await schedules.fire('nightly', nextAt, nextAt + 1_000, jobs), true)
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ available: 1, scheduled: 1 }))
    const [schedule] = await schedules.list()
    assert.deepEqual([schedule?.lastAt, schedule?.nextAt], [nextAt, nextAt + 1_000])
    assert.deepEqual((await schedules.due(5)).schedules, [])
    assert.equal((await subject.claimOne('a')).id, jobs[0]!.id)
  })

  clause('of many that fire one occurrence one does', async (subject) => {
    const nextAt = await put(subject, 'nightly', 0)
    const fired = await Promise.all(
      Array.from({ length: 10 }, () => subject.backend.schedules.fire('nightly', nextAt, nextAt + 1_000, [newJob()])),
    )
    assert.equal(fired.filter(Boolean).length, 1)
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ available: 1 }))
  })

  clause('who expects another occurrence does not fire', async (subject) => {
    const { schedules } = subject.backend
    const nextAt = await put(subject, 'nightly', 0)
    for (const [name, expected] of [
      ['nightly', nextAt + 1],
      ['unheard-of', nextAt],
    ] as const)
      assert.equal(await schedules.fire(name, expected, undefined, [newJob()]), false)
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({}))
    assert.equal((await schedules.list())[0]?.lastAt, undefined)
  })

  clause('a paused schedule is not due and does not fire', async (subject) => {
    const { schedules } = subject.backend
    const nextAt = await put(subject, 'nightly', 0)
    assert.equal(await schedules.setPaused('nightly', true), true)
    assert.deepEqual((await schedules.due(5)).schedules, [])
    assert.equal(await schedules.fire('nightly', nextAt, nextAt + 1, [newJob()]), false)
    assert.equal(await schedules.setPaused('nightly', false), true)
    assert.equal((await schedules.due(5)).schedules[0]?.nextAt, nextAt)
    assert.equal(await schedules.setPaused('unheard-of', true), false)
  })

  clause('a schedule that goes on may be given its next time', async (subject) => {
    const { schedules } = subject.backend
    const nextAt = await put(subject, 'nightly', 0)
    await schedules.setPaused('nightly', true)
    await schedules.setPaused('nightly', false, nextAt + 5_000)
    assert.deepEqual((await schedules.due(5)).schedules, [])
    assert.equal((await schedules.list())[0]?.nextAt, nextAt + 5_000)
  })

  clause('a schedule without a next time is kept, and never due', async (subject) => {
    const { schedules } = subject.backend
    const nextAt = await put(subject, 'once', 0)
    assert.equal(await schedules.fire('once', nextAt, undefined, [newJob()]), true)
    await subject.advance(1e9)
    assert.deepEqual((await schedules.due(5)).schedules, [])
    const [schedule] = await schedules.list()
    assert.deepEqual([schedule?.lastAt, schedule?.nextAt], [nextAt, undefined])
    assert.equal(await schedules.fire('once', nextAt, undefined, [newJob()]), false)
  })

  clause('a removed schedule is gone', async (subject) => {
    const { schedules } = subject.backend
    const nextAt = await put(subject, 'nightly', 0)
    assert.deepEqual([await schedules.remove('nightly'), await schedules.remove('nightly')], [true, false])
    assert.deepEqual([await schedules.list(), (await schedules.due(5)).schedules], [[], []])
    assert.equal(await schedules.fire('nightly', nextAt, undefined, [newJob()]), false)
  })

  clause('a fired job that is a duplicate does not keep the schedule from going on', async (subject) => {
    const { schedules } = subject.backend
    const nextAt = await put(subject, 'nightly', 0)
    await subject.id({ unique: { key: 'report' } })
    assert.equal(await schedules.fire('nightly', nextAt, nextAt + 1, [newJob({ unique: { key: 'report' } })]), true)
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ available: 1 }))
    assert.equal((await schedules.list())[0]?.nextAt, nextAt + 1)
  })
}

/** Puts a schedule whose next time is `delay` from now, and gives that moment. */
async function put(subject: Subject, name: string, delay: number): Promise<number> {
  const nextAt = (await subject.now()) + delay
  await subject.backend.schedules.put({ name, definition: 'rule', nextAt })
  return nextAt
}

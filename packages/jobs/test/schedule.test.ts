import assert from 'node:assert/strict'
import { it } from 'node:test'
import { backgroundError, createKeyring, hasCode, type JobScheduleEvent, jobSchedule, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createMemoryBackend, type ScheduleDefinition } from '@tailwater/jobs'
import { engine } from './testing/engine.ts'

const utc = (text: string) => Date.parse(`${text}Z`)

/** An engine at a moment, with a kind to be scheduled. */
function at(moment: string, pollInterval: '1h' | '10s' = '1h') {
  const clock = new FakeClock(utc(moment))
  const { jobs, backend } = engine({ clock, pollInterval, concurrency: 0 })
  jobs.define<unknown>({ kind: 'report', run: () => 0 })
  return { jobs, clock, backend, count: async () => (await jobs.counts()).available }
}

it('a schedule enqueues its job at each moment of its rule', async () => {
  const { jobs, clock, backend, count } = at('2030-01-01T00:30:00')
  await jobs.schedule('nightly', { cron: '0 3 * * *', kind: 'report', payload: { a: 1 }, options: { priority: 'low' } })
  await jobs.start()
  await clock.advance(2.5 * 3_600_000 - 1)
  assert.equal(await count(), 0)
  await clock.advance(1)
  assert.equal(await count(), 1)
  await clock.advance(3 * 86_400_000)
  assert.equal(await count(), 4)
  const { jobs: stored } = await backend.inspect.list({ tag: 'schedule:nightly' }, { limit: 10 })
  assert.deepEqual([stored.length, stored[0]?.payload, stored[0]?.priority], [4, '{"a":1}', 192])
})

it('a schedule may count from the epoch, or from a moment, or fire once', async () => {
  const { jobs, clock, backend } = at('2030-01-01T00:00:30')
  await jobs.schedule('often', { every: '5m', kind: 'report', payload: 0 })
  await jobs.schedule('offset', { every: '1h', from: 60_000, kind: 'report', payload: 0 })
  await jobs.schedule('once', { once: new Date(utc('2030-01-01T01:00:00')), kind: 'report', payload: 0 })
  await jobs.start()
  await clock.advance(2 * 3_600_000)
  const counts = await Promise.all(
    ['often', 'offset', 'once'].map(async (name) => {
      const { jobs: stored } = await backend.inspect.list({ tag: `schedule:${name}` }, { limit: 100 })
      return stored.length
    }),
  )
  assert.deepEqual(counts, [24, 2, 1])
  const once = await jobs.schedules.get('once')
  assert.deepEqual([once?.nextAt, once?.lastAt], [undefined, utc('2030-01-01T01:00:00')])
})

it('what was put by another process fires here, at the next look at the latest', async () => {
  const { jobs, clock, backend, count } = at('2030-01-01T00:00:00', '10s')
  await jobs.start()
  const other = engine({ backend, clock })
  other.jobs.define<number>({ kind: 'report', run: () => 0 })
  await other.jobs.schedule('late', { every: '1m', kind: 'report', payload: 0 })
  await other.jobs.start()
  await other.jobs.stop()
  await clock.advance(60_000)
  assert.equal(await count(), 1)
})

const missed = (policy: ScheduleDefinition['missed'], hours: number, wanted: number, why: string) =>
  it(`moments at which no process was there: ${why}`, async () => {
    const { jobs, clock, count } = at('2030-01-01T00:30:00')
    await jobs.schedule('hourly', { cron: '0 * * * *', kind: 'report', payload: 0, ...(policy && { missed: policy }) })
    await jobs.start()
    await jobs.stop()
    await clock.advance(hours * 3_600_000)
    const events: JobScheduleEvent[] = []
    const end = listen(jobSchedule, (event) => events.push(event))
    await jobs.start()
    await clock.advance(0)
    end()
    assert.equal(await count(), wanted)
    assert.equal(events.filter(({ jobId }) => jobId !== undefined).length, wanted)
    assert.equal(
      (await jobs.schedules.get('hourly'))?.nextAt,
      utc('2030-01-01T01:00:00') + Math.floor(hours + 0.5) * 3_600_000,
    )
  })

missed('skip', 5, 0, 'are left out')
missed(undefined, 5, 0, 'are left out unless it is said otherwise')
missed('once', 5, 1, 'become one job')
missed({ all: 100 }, 5, 5, 'become a job each')
missed({ all: 3 }, 5, 3, 'become a job each, of the newest so many')
missed('skip', 0.5, 1, 'one that is found within a minute has not been missed')
missed('once', 4.5, 1, 'one job for those before is not needed when one is on time')
missed({ all: 2 }, 4.5, 3, 'the one that is on time comes on top of those made up for')

it('a paused schedule does not fire, and does not make up for it when it goes on', async () => {
  const { jobs, clock, count } = at('2030-01-01T00:30:00')
  await jobs.schedule('hourly', { cron: '0 * * * *', kind: 'report', payload: 0, missed: { all: 100 } })
  await jobs.start()
  assert.equal(await jobs.schedules.pause('hourly'), true)
  await clock.advance(5 * 3_600_000)
  assert.deepEqual([await count(), (await jobs.schedules.get('hourly'))?.paused], [0, true])
  assert.equal(await jobs.schedules.resume('hourly'), true)
  await clock.advance(3_600_000)
  assert.equal(await count(), 1)
  assert.deepEqual([await jobs.schedules.pause('other'), await jobs.schedules.resume('other')], [false, false])
})

it('a schedule defined again at each start stays where it is, encrypted or not, and a changed one begins anew', async () => {
  const clock = new FakeClock(utc('2030-01-01T00:30:00'))
  const backend = createMemoryBackend({ clock })
  const keyring = createKeyring(['a secret of the tests, long enough'])
  for (const [hour, every] of [
    [0, '2h'],
    [1, '2h'],
    [2, '3h'],
  ] as const) {
    const { jobs } = engine({ clock, backend, keyring, concurrency: 0, pollInterval: '1h' })
    jobs.define<number>({ kind: 'plain', run: () => 0 })
    jobs.define<number>({ kind: 'closed', encrypted: true, run: () => 0 })
    for (const kind of ['plain', 'closed']) await jobs.schedule(kind, { every, kind, payload: 7 })
    await jobs.start()
    const wanted = ['2030-01-01T02:00:00', '2030-01-01T02:00:00', '2030-01-01T03:00:00'][hour]
    for (const { nextAt } of await jobs.schedules.list()) assert.equal(nextAt, utc(wanted!))
    await jobs.stop()
    await clock.advance(40 * 60_000)
  }
})

it('the next moments can be seen, and a schedule can be taken away', async () => {
  const { jobs, clock, count } = at('2030-03-30T12:00:00')
  await jobs.schedule('berlin', { cron: '30 2 * * *', timeZone: 'Europe/Berlin', kind: 'report', payload: 0 })
  await jobs.start()
  const next = await jobs.schedules.preview('berlin', 3)
  // On the 31st the clocks leap from 2 to 3: the time that there is not comes right after the gap.
  assert.deepEqual(next, [utc('2030-03-31T01:00:00'), utc('2030-04-01T00:30:00'), utc('2030-04-02T00:30:00')])
  assert.equal(await jobs.schedules.remove('berlin'), true)
  await clock.advance(3 * 86_400_000)
  assert.equal(await count(), 0)
  await assert.rejects(jobs.schedules.preview('berlin', 1), (error) => hasCode(error, 'E_JOB_SCHEDULE'))
})

it('a rule that cannot be read, that never fires or is too fast is refused with its code', async () => {
  const { jobs } = at('2030-01-01T00:00:00')
  const rules = [
    { cron: 'every day' },
    { cron: '61 * * * *' },
    { cron: '0 0 30 2 *' },
    { cron: '0 3 * * *', timeZone: 'Europe/Atlantis' },
    { every: '100ms' },
    { once: Number.NaN },
    { once: null },
    { once: 1e300 },
    { every: '1h', from: 'noon' },
    { every: '1h', timeZone: 'Europe/Berlin' },
    { cron: '0 3 * * *', from: 0 },
    { every: '1h', options: { delay: '1m' } },
    { cron: '0 3 * * *', every: '1h' },
    {},
    { every: '1h', missed: 'sometimes' },
    { every: '1h', missed: { all: 0 } },
  ]
  for (const rule of rules)
    await assert.rejects(
      jobs.schedule('wrong', { kind: 'report', payload: 0, ...rule } as never),
      (error) => hasCode(error, 'E_JOB_SCHEDULE'),
      JSON.stringify(rule),
    )
  const good = { every: '1h', kind: 'report', payload: 0 } as const
  const misspelt = { cron: '0 3 * * *', timezone: 'Europe/Berlin', kind: 'report', payload: 0 }
  await assert.rejects(jobs.schedule('misspelt', misspelt as never), (error) => hasCode(error, 'E_OPTIONS'))
  await assert.rejects(jobs.schedule('Bad name', good), (error) => hasCode(error, 'E_JOB_SCHEDULE'))
  await assert.rejects(jobs.schedule('lost', { ...good, kind: 'none' }), (error) =>
    hasCode(error, 'E_JOB_KIND_UNKNOWN'),
  )
  await assert.rejects(jobs.schedule('big', { ...good, payload: 1n }), (error) => hasCode(error, 'E_JOB_PAYLOAD'))
  await jobs.start()
  assert.deepEqual(await jobs.schedules.list(), [])
})

it('a schedule is run at once on demand, paused or not, and its planned moments stay as they were', async () => {
  const { jobs, backend } = engine()
  jobs.define<{ n: number }>({ kind: 'by-hand', run: () => {} })
  await jobs.schedule('nightly', { cron: '0 3 * * *', kind: 'by-hand', payload: { n: 1 }, options: { key: 'k' } })
  await jobs.start()
  await jobs.schedules.pause('nightly')
  const before = await jobs.schedules.get('nightly')
  const first = await jobs.schedules.run('nightly')
  const second = await jobs.schedules.run('nightly')
  assert.notEqual(first?.id, second?.id)
  const job = await backend.inspect.get(first!.id)
  assert.deepEqual([job?.kind, job?.payload, job?.key], ['by-hand', '{"n":1}', 'k'])
  assert.deepEqual(await jobs.schedules.get('nightly'), before)
  assert.equal(await jobs.schedules.run('nothing'), undefined)
})

it('a schedule of a kind that this process does not define is stored at once, and fires into the queue that was named', async () => {
  const { jobs, backend, clock } = engine({ concurrency: 0 })
  const rule = { every: 60_000, from: clock.now() } as const
  await jobs.schedules.add('foreign-pulse', { ...rule, kind: 'unheard-of', payload: { n: 1 } }, { queue: 'mail' })
  const { kind, queue } = (await jobs.schedules.get('foreign-pulse'))!
  assert.deepEqual([kind, queue], ['unheard-of', 'mail'])
  await jobs.start()
  await clock.advance(120_000)
  const [job] = (await backend.inspect.list({ queue: 'mail' }, { limit: 1 })).jobs
  assert.deepEqual([job?.kind, job?.payload], ['unheard-of', '{"n":1}'])
  await assert.rejects(jobs.schedules.add('wrong', { ...rule, kind: 'unheard-of' }, { queue: 'No Queue' }), (error) =>
    hasCode(error, 'E_OPTIONS'),
  )
  await assert.rejects(jobs.schedules.add('wrong', { ...rule, kind: 'No Kind', payload: 1 }), (error) =>
    hasCode(error, 'E_JOB_KIND'),
  )
})

it('a schedule that cannot be fired holds up no other, and is told of', async () => {
  const { jobs, clock, backend, count } = at('2030-01-01T00:00:00')
  const errors: string[] = []
  const unlisten = listen(backgroundError, ({ source }) => errors.push(source))
  const nextAt = utc('2030-01-01T00:01:00')
  await backend.schedules.put({ name: 'alien', definition: '{"rule":', nextAt })
  await jobs.schedule('minutely', { every: '1m', kind: 'report', payload: 0 })
  await jobs.start()
  await clock.advance(3 * 60_000)
  unlisten()
  assert.equal(await count(), 3)
  assert.ok(errors.length >= 3 && errors.every((source) => source === 'jobs-scheduler'), errors.join())
})

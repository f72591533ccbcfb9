import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type JobScheduleEvent, jobSchedule, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createMemoryBackend, type RuleOption } from '@tailwater/jobs'
import { engine } from './testing/engine.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const begin = Date.UTC(2030, 0, 1)
const end = Date.UTC(2031, 0, 1)

/** What a wall clock in a zone shows: `03-31 02:30`. */
function wallClock(timeZone: string) {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    weekday: 'short',
    hourCycle: 'h23',
  })
  return (at: number) => Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
}

const berlin = wallClock('Europe/Berlin')
const newYork = wallClock('America/New_York')

/**
 * The moments that a person would expect, found minute by minute from what the wall clock shows, without the library under test. A fixed time that the change leaps over
 * comes right after the gap (`instead`), and one that comes twice the first time only.
 */
function moments(fits: (at: number) => boolean, { isFixed = false, instead = [] as number[] } = {}): number[] {
  const found = [...instead]
  for (let at = begin + 60_000; at < end; at += 60_000) {
    if (!fits(at)) continue
    if (isFixed && found.some((earlier) => at - earlier <= HOUR && at > earlier)) continue
    found.push(at)
  }
  return found.sort((a, b) => a - b)
}

const every = (ms: number, from = 0) =>
  Array.from(
    { length: Math.ceil((end - begin) / ms) + 1 },
    (_, n) => from + (Math.floor((begin - from) / ms) + 1 + n) * ms,
  ).filter((at) => at < end)

const shows = (clock: typeof berlin, hour: string, minute: string) => (at: number) =>
  clock(at)['hour'] === hour && clock(at)['minute'] === minute

const schedules: Record<string, { rule: RuleOption; wanted: number[] }> = {
  'utc-nightly': { rule: { cron: '0 3 * * *' }, wanted: every(DAY, 3 * HOUR) },
  'berlin-nightly': {
    rule: { cron: '0 3 * * *', timeZone: 'Europe/Berlin' },
    wanted: moments(shows(berlin, '03', '00'), { isFixed: true }),
  },
  // 2:30 does not exist on March 31st, and comes twice on October 27th.
  'berlin-in-the-gap': {
    rule: { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
    wanted: moments(shows(berlin, '02', '30'), { isFixed: true, instead: [Date.UTC(2030, 2, 31, 1, 0)] }),
  },
  'berlin-quarters': {
    rule: { cron: '*/15 * * * *', timeZone: 'Europe/Berlin' },
    wanted: every(15 * 60_000),
  },
  'new-york-hourly': { rule: { cron: '0 * * * *', timeZone: 'America/New_York' }, wanted: every(HOUR) },
  // 2:15 does not exist on March 10th.
  'new-york-in-the-gap': {
    rule: { cron: '15 2 * * *', timeZone: 'America/New_York' },
    wanted: moments(shows(newYork, '02', '15'), { isFixed: true, instead: [Date.UTC(2030, 2, 10, 7, 0)] }),
  },
  'new-york-weekdays': {
    rule: { cron: '0 9 * * 1-5', timeZone: 'America/New_York' },
    wanted: moments((at) => shows(newYork, '09', '00')(at) && !['Sat', 'Sun'].includes(newYork(at)['weekday']!)),
  },
  'first-of-month': {
    rule: { cron: '0 0 1 * *', timeZone: 'Europe/Berlin' },
    wanted: moments((at) => shows(berlin, '00', '00')(at) && berlin(at)['day'] === '01'),
  },
  'every-seven-hours': { rule: { every: '7h' }, wanted: every(7 * HOUR) },
  once: { rule: { once: Date.UTC(2030, 6, 1, 12) }, wanted: [Date.UTC(2030, 6, 1, 12)] },
}

it('ten schedules over four processes fire each planned run of a year exactly once, both changes of clocks among them', async () => {
  const clock = new FakeClock(begin)
  const backend = createMemoryBackend({ clock })
  const processes = Array.from({ length: 4 }, () => {
    const { jobs } = engine({ clock, backend, concurrency: 0, pollInterval: '1h' })
    jobs.define<string>({ kind: 'planned', run: () => 0 })
    return jobs
  })
  const fired = new Map(Object.keys(schedules).map((name) => [name, [] as JobScheduleEvent[]]))
  const unlisten = listen(jobSchedule, (event) => fired.get(event.schedule)!.push(event))
  for (const jobs of processes) {
    for (const [name, { rule }] of Object.entries(schedules))
      await jobs.schedule(name, { ...rule, kind: 'planned', payload: name })
    await jobs.start()
  }
  // One of them is away now and then, in turn, as in a rolling restart.
  for (let week = 0; clock.now() < end - 1; week++) {
    const jobs = processes[week % processes.length]!
    await jobs.stop()
    await clock.advance(Math.min(DAY, end - 1 - clock.now()))
    await jobs.start()
    await clock.advance(Math.min(6 * DAY, end - 1 - clock.now()))
  }
  unlisten()
  for (const [name, { wanted }] of Object.entries(schedules)) {
    const times = fired.get(name)!.map(({ at }) => at)
    assert.deepEqual(times, wanted, name)
    assert.ok(
      fired.get(name)!.every(({ jobId }) => jobId !== undefined),
      name,
    )
  }
  const planned = Object.values(schedules).reduce((sum, { wanted }) => sum + wanted.length, 0)
  assert.equal((await processes[0]!.counts()).available, planned)
})

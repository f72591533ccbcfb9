import type { SchedulePort, StoredSchedule } from '../../backend/schedule_port.ts'
import type { JobsConnection } from './connection.ts'
import { entriesOf } from './entries.ts'
import { FIRE } from './scripts/fire.ts'
import { LIST_SCHEDULES } from './scripts/list_schedules.ts'
import { PAUSE_SCHEDULE } from './scripts/pause_schedule.ts'
import { PUT_SCHEDULE } from './scripts/put_schedule.ts'
import { REMOVE_SCHEDULE } from './scripts/remove_schedule.ts'

type ScheduleWire = [name: string, definition: string, nextAt: string, lastAt: string, paused: string]

/** Schedules are few: this many are listed. */
const MOST_LISTED = 100_000

/** Schedules in Redis. */
export function schedulePort({ run }: JobsConnection): SchedulePort {
  return {
    async put({ name, definition, nextAt }) {
      await run(PUT_SCHEDULE, [name, definition, nextAt ?? ''])
    },
    remove: async (name) => (await run(REMOVE_SCHEDULE, [name])) === 1,
    setPaused: async (name, paused, nextAt) => (await run(PAUSE_SCHEDULE, [name, paused ? 1 : 0, nextAt ?? ''])) === 1,
    async list() {
      const [, schedules] = await run<[number, ScheduleWire[]]>(LIST_SCHEDULES, ['all', MOST_LISTED])
      return schedules.map(scheduleOf).sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    async due(limit) {
      const [now, schedules] = await run<[number, ScheduleWire[]]>(LIST_SCHEDULES, ['due', limit])
      return { now, schedules: schedules.map(scheduleOf) }
    },
    async fire(name, expected, next, jobs) {
      return (await run(FIRE, [name, expected, next ?? '', ...entriesOf(jobs)])) === 1
    },
  }
}

function scheduleOf([name, definition, nextAt, lastAt, paused]: ScheduleWire): StoredSchedule {
  return {
    name,
    definition,
    nextAt: nextAt === '' ? undefined : Number(nextAt),
    lastAt: lastAt === '' ? undefined : Number(lastAt),
    paused: paused === '1',
  }
}

import type { SchedulePort, StoredSchedule } from '../../backend/schedule_port.ts'
import { addJob } from './memory_enqueue.ts'
import type { MemoryStore } from './store.ts'

/** Schedules in memory. */
export function memorySchedules(store: MemoryStore): SchedulePort {
  const { schedules } = store
  return {
    async put({ name, definition, nextAt }) {
      const present = schedules.get(name)
      if (present?.definition === definition) return
      schedules.set(name, { lastAt: undefined, paused: false, ...present, name, definition, nextAt })
    },
    remove: async (name) => schedules.delete(name),
    async setPaused(name, paused, nextAt) {
      const present = schedules.get(name)
      if (!present) return false
      schedules.set(name, { ...present, paused, nextAt: nextAt ?? present.nextAt })
      return true
    },
    list: async () => [...schedules.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    async due(limit) {
      const now = store.now()
      const due = [...schedules.values()].filter((schedule) => !schedule.paused && timeOf(schedule) <= now)
      return { now, schedules: due.sort((a, b) => timeOf(a) - timeOf(b)).slice(0, limit) }
    },
    async fire(name, expected, next, jobs) {
      const present = schedules.get(name)
      if (!present || present.paused || present.nextAt !== expected) return false
      schedules.set(name, { ...present, lastAt: expected, nextAt: next })
      for (const job of jobs) addJob(store, job)
      return true
    },
  }
}

const timeOf = ({ nextAt = Number.POSITIVE_INFINITY }: StoredSchedule) => nextAt

import { createService, type Service } from '@tailwater/core'
import type { Jobs, ScheduleDefinition } from '@tailwater/jobs'

/** What the merchant does by the clock, and by whose: times are UTC. */
const timetable: Readonly<Record<string, ScheduleDefinition>> = {
  /** The day has ended for every merchant by then, from Auckland to Honolulu or nearly so. */
  'daily-reports': { cron: '0 11 * * *', timeZone: 'UTC', kind: 'daily-reports', payload: null, missed: 'once' },
  'weekly-recalculation': { cron: '30 3 * * 0', timeZone: 'UTC', kind: 'sales-recalculations', payload: null },
  'weekly-reindexing': { cron: '0 4 * * 0', timeZone: 'UTC', kind: 'search-reindexing', payload: null },
  'weekly-event-trimming': { cron: '45 3 * * 0', timeZone: 'UTC', kind: 'analytics-trimming', payload: null },
  'nightly-forgetting': { cron: '30 2 * * *', timeZone: 'UTC', kind: 'forgetting', payload: null },
  'hourly-warm-up': { cron: '7 * * * *', timeZone: 'UTC', kind: 'warm-up', payload: null },
}

/** Says the timetable at each start; every process may, and each moment becomes one job. @param kinds that are defined */
export function createTimetable(jobs: Jobs, kinds: ReadonlySet<string>): Service {
  return createService('timetable', {
    async start() {
      for (const [name, definition] of Object.entries(timetable))
        if (kinds.has(definition.kind)) await jobs.schedule(name, definition)
    },
    stop() {},
  })
}

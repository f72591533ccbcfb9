import {
  backgroundError,
  type Cancel,
  type Clock,
  createService,
  jobSchedule,
  newId,
  type Service,
  toError,
} from '@tailwater/core'
import type { SchedulePort, StoredSchedule } from '../backend/schedule_port.ts'
import type { NewJob } from '../job.ts'
import { untilDeadline } from '../run/deadline.ts'
import { parseDefinition } from './definition.ts'
import { occurrencesOf } from './occurrences.ts'
import { ruleOf } from './rule.ts'

/** Schedules that are fired in one look. */
const MAX_DUE = 100

/** What fires schedules in one process. */
export interface Scheduler extends Service {
  /** A schedule was put, or goes on: it may be due before the next look. */
  wake(): void
}

/**
 * Fires what is due. Every process does: each occurrence is fired by the one whose compare-and-set comes first, so that no leader has to be found, and none is missed
 * when one goes.
 *
 * It looks at the store at the next known moment, by the store's clock, and otherwise every `interval` milliseconds for what others have put.
 *
 * @param onFired is told of queues that have got jobs
 */
export function createScheduler(
  { schedules, clock, interval }: { schedules: SchedulePort; clock: Clock; interval: number },
  onFired: (queue: string) => void,
): Scheduler {
  let isOpen = false
  let cancel: Cancel = () => {}
  let looking: Promise<void> | undefined
  let isWoken = false

  function look(): void {
    if (!isOpen) return
    if (looking) {
      isWoken = true
      return
    }
    cancel()
    isWoken = false
    looking = fireDue()
      .catch((error: unknown) => {
        report(error)
        return interval
      })
      .then(plan)
  }

  function plan(wait: number): void {
    looking = undefined
    if (isWoken) look()
    else if (isOpen) cancel = clock.after(wait, look)
  }

  /** Milliseconds until the next look. */
  async function fireDue(): Promise<number> {
    for (;;) {
      const { now, schedules: due } = await schedules.due(MAX_DUE)
      const fired = await fireAll(due, now)
      if (due.length === MAX_DUE && fired > 0) continue
      const moments = (await schedules.list()).flatMap(({ paused, nextAt }) => (paused ? [] : (nextAt ?? [])))
      const waits = moments.map((at) => at - now).filter((wait) => fired === due.length || wait > 0)
      return Math.max(1, Math.min(interval, ...waits))
    }
  }

  /** One that cannot be fired, because another program wrote it or its time zone is not known here, must not hold up the others. How many were. */
  async function fireAll(due: readonly StoredSchedule[], now: number): Promise<number> {
    let fired = 0
    for (const schedule of due)
      try {
        await fire(schedule, now)
        fired++
      } catch (error) {
        report(error)
      }
    return fired
  }

  async function fire({ name, definition, nextAt }: StoredSchedule, now: number): Promise<void> {
    const { rule, missed: policy, job } = parseDefinition(definition)
    const { fired, missed, next } = occurrencesOf(ruleOf(rule), policy, nextAt!, now)
    const jobs: NewJob[] = fired.map(() => ({ ...job, id: newId(), tags: [...(job.tags ?? []), `schedule:${name}`] }))
    if (!(await schedules.fire(name, nextAt!, next, jobs))) return
    if (jobs.length > 0) onFired(job.queue)
    if (!jobSchedule.hasSubscribers) return
    if (missed !== undefined) jobSchedule.publish({ schedule: name, at: missed, jobId: undefined })
    for (const [index, at] of fired.entries()) jobSchedule.publish({ schedule: name, at, jobId: jobs[index]!.id })
  }

  function report(error: unknown): void {
    if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'jobs-scheduler', error: toError(error) })
  }

  const service = createService('jobs-scheduler', {
    start() {
      isOpen = true
      look()
    },
    async stop(deadline = Number.POSITIVE_INFINITY) {
      isOpen = false
      cancel()
      if (looking) await untilDeadline(clock, deadline, looking)
    },
  })
  return { ...service, wake: look }
}

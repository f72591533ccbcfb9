import type { NewJob } from '../job.ts'

/** A schedule as it is stored. */
export interface StoredSchedule {
  name: string
  /** What the engine wrote: rule, time zone, policy, template of the job. JSON. */
  definition: string
  /** The next occurrence; undefined when there is none any more. */
  nextAt: number | undefined
  lastAt: number | undefined
  paused: boolean
}

/** Schedules: what fires when. Which moments a rule means, the engine knows; the store makes each happen once. */
export interface SchedulePort {
  /** Creates or replaces definition and next occurrence; keeps `lastAt` and `paused`. With an unchanged definition it changes nothing, so that every process may say it at its start. */
  put(schedule: { name: string; definition: string; nextAt: number | undefined }): Promise<void>
  remove(name: string): Promise<boolean>
  /** Sets the next occurrence, too, if one is given; false if there is no such schedule. */
  setPaused(name: string, paused: boolean, nextAt?: number): Promise<boolean>
  /** All, by name. */
  list(): Promise<StoredSchedule[]>
  /** Schedules whose next occurrence has come and that are not paused, the earliest first, and the store's present moment. */
  due(limit: number): Promise<{ now: number; schedules: StoredSchedule[] }>
  /** Stores the jobs and moves the schedule on (`lastAt` becomes `expected`), if it is still at `expected` and not paused; false if another process was first. One atomic step. */
  fire(name: string, expected: number, next: number | undefined, jobs: readonly NewJob[]): Promise<boolean>
}

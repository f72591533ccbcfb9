import { type Duration, duration, show } from '@tailwater/core'
import { Cron } from 'croner'
import { jobsError } from '../errors.ts'
import { isMoment, LONGEST_DELAY, MOMENT, momentIn } from '../moment.ts'

/** When a schedule's moments are. */
export type RuleOption =
  | {
      /** Five fields, or six with seconds first; also `@daily` and the like. */
      cron: string
      /** IANA name, such as `Europe/Berlin`. @default 'UTC' */
      timeZone?: string
    }
  | {
      /** Every so often, counted from the Unix epoch, so that all processes mean the same moments. At least a second. */
      every: Duration
      /** Counted from this moment instead, in milliseconds since the Unix epoch. */
      from?: number
    }
  | { once: Date | number }

/** A rule as it is stored: plain data. */
export type StoredRule =
  | { type: 'cron'; cron: string; timeZone: string }
  | { type: 'every'; ms: number; from: number }
  | { type: 'once'; at: number }

/** The moments of a rule, in milliseconds since the Unix epoch. */
export interface Rule {
  /** The first one later than `moment`; undefined when there is none any more. */
  after(moment: number): number | undefined
  /** The last `count` ones not later than `moment`, oldest first. */
  upTo(moment: number, count: number): number[]
}

/** Milliseconds of a second: no rule is finer. */
const SECOND = 1_000
const longEnough = duration({ max: LONGEST_DELAY })

/** Reads a rule. @throws E_JOB_SCHEDULE, E_OPTIONS */
export function readRule(name: string, given: object): StoredRule {
  const said = given as { cron?: unknown; timeZone?: unknown; every?: unknown; from?: unknown; once?: unknown }
  const kinds = [said.cron, said.every, said.once].filter((one) => one !== undefined)
  if (kinds.length !== 1) throw wrong(name, `needs one of cron, every and once, got ${kinds.length}`)
  if (said.cron === undefined && said.timeZone !== undefined) throw wrong(name, 'has a timeZone, which only cron has')
  if (said.every === undefined && said.from !== undefined) throw wrong(name, 'has a from, which only every has')
  if (said.cron !== undefined) return readCron(name, said.cron, said.timeZone ?? 'UTC')
  if (said.once !== undefined) return { type: 'once', at: readMoment(name, 'once', said.once) }
  const ms = longEnough.parse(said.every, `schedule '${name}'.every`)
  if (ms < SECOND) throw wrong(name, `cannot fire more often than once a second, got every ${ms} ms`)
  return { type: 'every', ms, from: readMoment(name, 'from', said.from ?? 0) }
}

function readMoment(name: string, option: string, given: unknown): number {
  if (isMoment(given)) return momentIn(given)
  throw wrong(name, `needs ${MOMENT}, for ${option}, got ${show(given)}`)
}

function readCron(name: string, cron: unknown, timeZone: unknown): StoredRule {
  if (typeof cron !== 'string' || typeof timeZone !== 'string')
    throw wrong(name, `needs a text for cron and timeZone, got ${show(cron)} and ${show(timeZone)}`)
  try {
    new Intl.DateTimeFormat('en', { timeZone })
  } catch (cause) {
    throw wrong(name, `has the time zone ${show(timeZone)}, which is not known`, cause)
  }
  try {
    new Cron(cron, { timezone: timeZone, paused: true })
  } catch (cause) {
    throw wrong(name, `has the cron expression ${show(cron)}, which cannot be read: ${(cause as Error).message}`, cause)
  }
  return { type: 'cron', cron, timeZone }
}

/** A rule that is not one. @throws E_JOB_SCHEDULE always, where it is called */
export function wrong(name: string, what: string, cause?: unknown) {
  return jobsError('E_JOB_SCHEDULE', `schedule '${name}' ${what}`, { schedule: name, cause })
}

const crons = new Map<string, Cron>()

/**
 * The moments that a stored rule means.
 *
 * Around a change of clocks croner holds to what cron does: a fixed time that the change leaps over comes right after the gap, and one that comes twice fires once;
 * what recurs within the hour (a step, a list, a star) fires whenever the local clock shows it.
 */
export function ruleOf(stored: StoredRule): Rule {
  if (stored.type === 'cron') return cronRule(stored)
  if (stored.type === 'every') return everyRule(stored)
  const { at } = stored
  return { after: (moment) => (at > moment ? at : undefined), upTo: (moment) => (at <= moment ? [at] : []) }
}

function everyRule({ ms, from }: StoredRule & { type: 'every' }): Rule {
  return {
    after: (moment) => from + (Math.floor((moment - from) / ms) + 1) * ms,
    upTo(moment, count) {
      const last = from + Math.floor((moment - from) / ms) * ms
      return Array.from({ length: count }, (_, back) => last - back * ms).reverse()
    },
  }
}

function cronRule({ cron, timeZone }: StoredRule & { type: 'cron' }): Rule {
  const key = `${timeZone} ${cron}`
  const parsed = crons.get(key) ?? new Cron(cron, { timezone: timeZone, paused: true })
  crons.set(key, parsed)
  return {
    after: (moment) => parsed.nextRun(new Date(moment))?.getTime(),
    // What croner gives is before its reference, in whole seconds.
    upTo: (moment, count) =>
      parsed
        .previousRuns(count, new Date(Math.floor(moment / SECOND) * SECOND + SECOND))
        .map((date) => date.getTime())
        .filter((at) => at <= moment)
        .sort((a, b) => a - b),
  }
}

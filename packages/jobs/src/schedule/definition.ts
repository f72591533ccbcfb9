import { type Duration, optional, resolveOptions, show, value } from '@tailwater/core'
import type { NewJob } from '../job.ts'
import type { JobOptions } from '../request.ts'
import { type RuleOption, readRule, type StoredRule, wrong } from './rule.ts'

/** What happens to moments at which no process was there. One that is found within a minute has not been missed. */
export type MissedPolicy =
  /** Nothing. */
  | 'skip'
  /** One job for all of them. */
  | 'once'
  /** A job for each, for the newest so many. */
  | { all: number }

/** A schedule as it is defined. */
export type ScheduleDefinition = RuleOption & {
  kind: string
  payload?: unknown
  options?: Omit<JobOptions, 'delay' | 'runAt'>
  /** @default 'skip' */
  missed?: MissedPolicy
}

/** A schedule as it is stored, as JSON. Every process can fire it, whether or not it knows the kind. */
export interface StoredDefinition {
  rule: StoredRule
  missed: MissedPolicy
  /** The job without its id. */
  job: Omit<NewJob, 'id'>
}

/** Moments that may be made up for. */
const MOST_MISSED = 1_000

const anything = () => true
const said = <Value>() => optional(value<Value>('what its rule needs', anything))

/** Every name that a definition may have; what stands under them is read by the rule, and by the kind. */
const fields = {
  cron: said<string>(),
  timeZone: said<string>(),
  every: said<Duration>(),
  from: said<number>(),
  once: said<Date | number>(),
  kind: said<string>(),
  payload: said<unknown>(),
  options: said<JobOptions>(),
  missed: said<MissedPolicy>(),
}

/** Reads rule and policy. @throws E_JOB_SCHEDULE, E_OPTIONS */
export function readDefinition(name: string, given: ScheduleDefinition): Omit<StoredDefinition, 'job'> {
  if (given === null || typeof given !== 'object') throw wrong(name, `must be an object, got ${show(given)}`)
  resolveOptions(`schedule '${name}'`, given, fields)
  const { delay, runAt } = (given.options ?? {}) as JobOptions
  if ((delay ?? runAt) !== undefined) throw wrong(name, 'says by its rule when its jobs are due: not by delay or runAt')
  return { rule: readRule(name, given), missed: readMissed(name, given.missed ?? 'skip') }
}

function readMissed(name: string, given: MissedPolicy): MissedPolicy {
  if (given === 'skip' || given === 'once') return given
  const all = (given as { all?: unknown } | null)?.all
  if (Number.isInteger(all) && (all as number) >= 1 && (all as number) <= MOST_MISSED) return { all: all as number }
  throw wrong(name, `needs 'skip', 'once' or { all: 1 to ${MOST_MISSED} } for missed, got ${show(given)}`)
}

/** The text that is stored: without what belongs to the request that happened to define it. */
export function writeDefinition({ rule, missed, job }: StoredDefinition): string {
  const { requestId, traceparent, delay, runAt, ...lasting } = job
  return JSON.stringify({ rule, missed, job: lasting })
}

/** @throws SyntaxError when another program wrote it */
export function parseDefinition(text: string): StoredDefinition {
  return JSON.parse(text) as StoredDefinition
}

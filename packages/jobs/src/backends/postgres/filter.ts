import type { JobFilter } from '../../backend/inspect_port.ts'
import { finalStates, type JobState, jobStates } from '../../job.ts'

/** A filter as conditions of SQL. */
export interface Conditions {
  /** What an index answers, for each table; undefined where the table has no such jobs. */
  live: string | undefined
  ended: string | undefined
  /** What has to be looked at row by row; `true` if nothing. */
  rest: string
  /** From `$first` on. */
  values: unknown[]
  /** Short, and different for each text. */
  mark: string
}

/** Conditions by the name of what is asked for; each has a letter. */
const RULES: readonly [
  field: Exclude<keyof JobFilter, 'states'>,
  letter: string,
  isIndexed: boolean,
  condition: (value: string) => string,
][] = [
  ['key', 'y', true, (value) => `key = ${value}`],
  ['tag', 't', true, (value) => `tags @> ARRAY[${value}]::text[]`],
  ['queue', 'q', false, (value) => `queue = ${value}`],
  ['kind', 'k', false, (value) => `kind = ${value}`],
  ['from', 'f', false, (value) => `enqueued_at >= to_timestamp(${value}::float8 / 1000.0)`],
  ['to', 'o', false, (value) => `enqueued_at <= to_timestamp(${value}::float8 / 1000.0)`],
  ['text', 'x', false, (value) => `strpos(payload, ${value}) > 0`],
]

/**
 * Writes a filter down.
 *
 * States are written out rather than given as values, so that the planner sees which partial index holds them. Key and tag have indexes of their own; a queue
 * has one only for jobs that failed: everything else is looked at newest first, in windows.
 *
 * @param first number of the first value
 */
export function conditionsOf(filter: JobFilter, first: number): Conditions {
  const states = filter.states ?? jobStates
  const live = states.filter((state) => !finalStates.includes(state))
  const ended = states.filter((state) => finalStates.includes(state))
  const isOfFailed = ended.length > 0 && !ended.includes('completed')
  const values: unknown[] = []
  const indexed: string[] = []
  const rest: string[] = []
  let letters = ''
  for (const [field, letter, isIndexed, condition] of RULES) {
    const value = filter[field]
    if (value === undefined) continue
    values.push(value)
    letters += letter
    const text = condition(`$${first + values.length - 1}`)
    if (isIndexed || (field === 'queue' && isOfFailed)) indexed.push(text)
    else rest.push(text)
  }
  return {
    live: live.length > 0 ? all([stateIn(live), ...indexed]) : undefined,
    ended:
      ended.length > 0 ? all([...(isOfFailed ? ["state <> 'completed'"] : []), stateIn(ended), ...indexed]) : undefined,
    rest: all(rest),
    values,
    mark: `${letters}${bitsOf(states)}`,
  }
}

const all = (conditions: readonly string[]) => conditions.join(' AND ') || 'true'

const stateIn = (states: readonly JobState[]) => `state IN (${states.map((state) => `'${state}'`).join(', ')})`

function bitsOf(states: readonly JobState[]): string {
  let bits = 0
  for (const state of states) bits |= 1 << jobStates.indexOf(state)
  return bits.toString(16)
}

import { optionsError } from '@tailwater/core'
import type { JobFilter } from '../../backend/inspect_port.ts'
import { finalStates, type JobState, jobStates } from '../../job.ts'

/** A filter as conditions of SQL. */
export interface Conditions {
  /** On states of jobs in each table; undefined where it cannot hold any that is meant. */
  live: string | undefined
  ended: string | undefined
  /** Everything else; `true` if nothing. */
  rest: string
  /** From `$first` on; a key, if there is one, is the first. */
  values: unknown[]
  /** Short, and different for each text. */
  mark: string
}

/** Conditions by the name of what is asked for; each has a letter. */
const RULES: readonly [
  field: Exclude<keyof JobFilter, 'states'>,
  letter: string,
  condition: (value: string) => string,
][] = [
  ['key', 'y', (value) => `key = ${value}::text`],
  ['tag', 't', (value) => `tags @> ARRAY[${value}::text]`],
  ['queue', 'q', (value) => `queue = ${value}::text`],
  ['kind', 'k', (value) => `kind = ${value}::text`],
  ['from', 'f', (value) => `enqueued_at >= to_timestamp(${value}::float8 / 1000.0)`],
  ['to', 'o', (value) => `enqueued_at <= to_timestamp(${value}::float8 / 1000.0)`],
  ['text', 'x', (value) => `strpos(payload, ${value}::text) > 0`],
]

/**
 * Writes a filter down. States are written out rather than given as values, so that the planner sees which partial index holds them.
 *
 * @param first number of the first value
 * @throws E_OPTIONS on a state that is none: states become part of the statement
 */
export function conditionsOf(filter: JobFilter, first: number): Conditions {
  const states = filter.states ?? jobStates
  for (const state of states)
    if (!jobStates.includes(state)) throw optionsError('filter.states', `some of ${jobStates.join(', ')}`, state)
  const values: unknown[] = []
  const rest: string[] = []
  let letters = ''
  for (const [field, letter, condition] of RULES) {
    const value = filter[field]
    if (value === undefined) continue
    values.push(value)
    letters += letter
    rest.push(condition(`$${first + values.length - 1}`))
  }
  return {
    live: stateIn(states.filter((state) => !finalStates.includes(state))),
    ended: stateIn(states.filter((state) => finalStates.includes(state))),
    rest: rest.join(' AND ') || 'true',
    values,
    mark: `${letters}${bitsOf(states)}`,
  }
}

/** @returns undefined for none */
function stateIn(states: readonly JobState[]): string | undefined {
  return states.length === 0 ? undefined : `state IN (${states.map((state) => `'${state}'`).join(', ')})`
}

function bitsOf(states: readonly JobState[]): string {
  let bits = 0
  for (const state of states) bits |= 1 << jobStates.indexOf(state)
  return bits.toString(16)
}

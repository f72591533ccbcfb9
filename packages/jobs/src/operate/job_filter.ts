import { number, optional, optionsError, resolveOptions, text, value } from '@tailwater/core'
import type { JobFilter } from '../backend/inspect_port.ts'
import { type JobState, jobStates } from '../job.ts'

const areStates = (given: unknown) => Array.isArray(given) && given.every((state) => jobStates.includes(state))

const fields = {
  queue: optional(text()),
  kind: optional(text()),
  states: optional(value<readonly JobState[]>(`an array of ${jobStates.join(', ')}`, areStates)),
  key: optional(text()),
  tag: optional(text()),
  text: optional(value<string>('a text', (given) => typeof given === 'string')),
  from: optional(number()),
  to: optional(number()),
}

/**
 * Reads a filter before a store does: a misspelt condition would not hold, and the wrong jobs be retried or deleted; and states become part of statements.
 *
 * @param path what it is given to
 * @throws E_OPTIONS
 */
export function readFilter(path: string, given: JobFilter): JobFilter {
  const said = Object.entries(resolveOptions(path, given, fields)).filter(([, condition]) => condition !== undefined)
  return Object.fromEntries(said)
}

/** Likewise, where the states have to be named. @throws E_OPTIONS */
export function readFilterOfStates(path: string, given: JobFilter): JobFilter & { states: readonly JobState[] } {
  const { states, ...rest } = readFilter(path, given)
  if (states) return { ...rest, states }
  throw optionsError(`${path}.states`, `an array of ${jobStates.join(', ')}`, states)
}

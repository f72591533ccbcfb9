import { number, optional, optionsError, resolveOptions, value } from '@tailwater/core'
import type { JobFilter } from '../backend/inspect_port.ts'
import { type JobState, jobStates } from '../job.ts'
import { queueName } from '../kind.ts'
import { isLabel, LABEL } from '../label.ts'
import { momentIn } from '../moment.ts'

const areStates = (given: unknown) => Array.isArray(given) && given.every((state) => jobStates.includes(state))

const label = optional(value<string>(LABEL, isLabel))
const fields = {
  queue: queueName,
  kind: label,
  states: optional(value<readonly JobState[]>(`an array of ${jobStates.join(', ')}`, areStates)),
  key: label,
  tag: label,
  text: optional(value<string>('a text without NUL', (given) => typeof given === 'string' && !given.includes('\0'))),
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
  const { from, to, ...rest } = resolveOptions(path, given, fields)
  const said = { ...rest, from: from && momentIn(from), to: to && momentIn(to) }
  return Object.fromEntries(Object.entries(said).filter(([, condition]) => condition !== undefined))
}

/** Likewise, where the states have to be named. @throws E_OPTIONS */
export function readFilterOfStates(path: string, given: JobFilter): JobFilter & { states: readonly JobState[] } {
  const { states, ...rest } = readFilter(path, given)
  if (states) return { ...rest, states }
  throw optionsError(`${path}.states`, `an array of ${jobStates.join(', ')}`, states)
}

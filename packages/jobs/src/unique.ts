import { hash } from 'node:crypto'
import {
  boolean,
  type Duration,
  duration,
  optional,
  optionsError,
  parseDuration,
  resolveOptions,
  value,
} from '@tailwater/core'
import { jobsError } from './errors.ts'
import type { NewJob } from './job.ts'
import { isLabel, LABEL } from './label.ts'
import { LONGEST_DELAY } from './moment.ts'

/** Which jobs are duplicates of each other, and for how long. */
export interface Unique {
  /** `kind`: all jobs of the kind; `payload`: those of equal payload, whatever the order of its names; `key`: those of equal `key`; any other text is a key of its own. */
  by: 'kind' | 'payload' | 'key' | (string & {})
  /** As long as a duration from the enqueueing, or until the job has ended. @default 'until-done' */
  for?: Duration | 'until-done'
  /** A duplicate gives the standing job its payload, priority and time, if that has not begun. @default false */
  replace?: boolean
}

const anything = () => true
const held = duration({ max: LONGEST_DELAY })
const fields = {
  by: value<string>(LABEL, isLabel),
  for: optional(value<Duration>('a duration', anything)),
  replace: optional(boolean()),
}

/** Checks what was said. @throws E_OPTIONS */
export function resolveUnique(given: Unique, path: string): Unique {
  // Of whatever is no object, `by` is what is missing.
  if (!isLabel(given?.by)) throw optionsError(`${path}.by`, `'kind', 'payload', 'key' or ${LABEL}`, given?.by)
  resolveOptions(path, given, fields)
  if (given.for !== undefined && given.for !== 'until-done') held.parse(given.for, `${path}.for`)
  return given
}

/** What a unique key is made of. */
export interface UniqueParts {
  kind: string
  payload: unknown
  key: string | undefined
}

/**
 * The unique key as a store gets it.
 *
 * @throws E_JOB_UNIQUE when it is to be by key and the job has none
 */
export function uniqueOf(unique: Unique, parts: UniqueParts): NonNullable<NewJob['unique']> {
  const ttl = unique.for === undefined || unique.for === 'until-done' ? undefined : parseDuration(unique.for)
  return { key: keyOf(unique.by, parts), replace: unique.replace ?? false, ...(ttl !== undefined && { ttl }) }
}

function keyOf(by: string, { kind, payload, key }: UniqueParts): string {
  if (by === 'kind') return kind
  if (by === 'payload') return `${kind}/payload/${hash('sha256', canonical(payload), 'base64url')}`
  if (by !== 'key') return `${kind}/is/${by}`
  if (key !== undefined) return `${kind}/key/${key}`
  throw jobsError('E_JOB_UNIQUE', `jobs of kind '${kind}' are unique by key, and this one has none`, { kind })
}

/** JSON with the names of objects in order, so that equal data has equal text. */
function canonical(data: unknown): string {
  return JSON.stringify(data, (_, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}

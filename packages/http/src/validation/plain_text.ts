import type { FieldError } from '../problem.ts'
import { MAX_DEPTH } from './nesting.ts'

/**
 * Finds what no field may hold, whatever its schema says: U+0000, which PostgreSQL cannot store; half a surrogate
 * pair, which UTF-8 cannot carry; and keys that would reach an object's prototype when merged.
 *
 * @param part where the value stands: `/query`, `/body`
 */
export function findUnsafe(value: unknown, part: string, errors: FieldError[] = [], depth = 0): FieldError[] {
  if (depth > MAX_DEPTH) {
    errors.push({ path: part.slice(0, 200), message: `must not nest deeper than ${MAX_DEPTH} levels`, code: 'depth' })
  } else if (typeof value === 'string') {
    const message = textFault(value)
    if (message) errors.push({ path: part, message, code: 'text' })
  } else if (value !== null && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      // Nothing to tell, and so no path to write: nearly always.
      if (typeof inner === 'string' && depth < MAX_DEPTH && !textFault(inner) && !keyFault(key, inner)) continue
      const path = `${part}/${key.toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 100)}`
      const message = keyFault(key, inner)
      if (message) errors.push({ path, message, code: 'unknown' })
      else findUnsafe(inner, path, errors, depth + 1)
    }
  }
  return errors
}

/** Says what is wrong with a text, if anything. */
export function textFault(value: string): string | undefined {
  if (value.includes('\0')) return 'must not contain the character U+0000'
  return value.isWellFormed() ? undefined : 'must not contain half of a surrogate pair'
}

function keyFault(key: string, inner: unknown): string | undefined {
  if (key === '__proto__') return 'is not accepted as a name'
  if (key === 'constructor' && inner !== null && typeof inner === 'object' && Object.hasOwn(inner, 'prototype'))
    return 'is not accepted as a name'
  return textFault(key)
}

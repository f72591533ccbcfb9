import type { HeaderMap } from '../exchange.ts'
import { headerText } from '../header.ts'

/** Surrogate keys of one response at most, and characters of one: an origin gone wrong must not fill the store with names. */
const MOST_KEYS = 128
const LONGEST_KEY = 256

/**
 * The surrogate keys that a response's headers list, separated by spaces or commas.
 *
 * @returns undefined for more or longer ones than are kept: a response without one of its keys could not be purged by it
 */
export function surrogateKeys(headers: HeaderMap, names: readonly string[]): readonly string[] | undefined {
  const all = names.flatMap((name) => (headerText(headers, name) ?? '').split(/[\s,]+/))
  const keys = [...new Set(all)].filter((key) => key !== '')
  return keys.length > MOST_KEYS || keys.some((key) => key.length > LONGEST_KEY) ? undefined : keys
}

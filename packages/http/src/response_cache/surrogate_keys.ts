import type { HeaderMap } from '../exchange.ts'
import { headerText } from '../header.ts'

/** Surrogate keys of one response at most, and characters of one: an origin gone wrong must not fill the store with names. */
const MOST_KEYS = 128
const LONGEST_KEY = 256

/** The surrogate keys that a response's headers list, separated by spaces or commas. */
export function surrogateKeys(headers: HeaderMap, names: readonly string[]): string[] {
  const keys = names.flatMap((name) => (headerText(headers, name) ?? '').split(/[\s,]+/))
  return [...new Set(keys)].filter((key) => key !== '' && key.length <= LONGEST_KEY).slice(0, MOST_KEYS)
}

import { isFence } from '../tag_name.ts'
import type { InvalidSet } from './invalid_set.ts'

/** What processes tell each other of invalidations; plain JSON. */
export interface News {
  /** Whose news it is, so that it can pass by its own; absent where the sender must hear it too. */
  readonly from?: string
  /** Which of the sender's transactions it comes from: the sender passes it by only if it has heard of that commit itself. */
  readonly mark?: string
  readonly keys?: readonly string[]
  /** With the store's new number, where it is known. */
  readonly tags?: readonly (readonly [name: string, number: number | null])[]
  readonly patterns?: readonly string[]
  /** The far tier does not know it yet: whoever can reach it is to tell it, and nobody is to believe it before. */
  readonly isPending?: true
}

/** Keys of one message: it has to fit into a notification's and a script's limits. */
const MAX_NAMES = 1_000

/** The messages of an invalidation. */
export function newsOf(
  set: InvalidSet,
  numbers: ReadonlyMap<string, number>,
  from: string | undefined,
  isPending: boolean,
): News[] {
  const frame: News = { ...(from === undefined ? {} : { from }), ...(isPending ? { isPending } : {}) }
  const all = [...set.tags].map((name) => [name, numbers.get(name) ?? null] as const)
  const tags = all.filter(([name]) => !isFence(name) || set.patterns.size === 0)
  // With their patterns: alone they would say that something was invalidated, and not what.
  const fences = all.filter(([name]) => isFence(name))
  return [
    ...chunks([...set.keys]).map((keys) => ({ ...frame, keys })),
    ...chunks(tags).map((some) => ({ ...frame, tags: some })),
    ...chunks([...set.patterns]).map((patterns) => ({ ...frame, patterns, tags: fences })),
  ]
}

function chunks<T>(items: readonly T[]): T[][] {
  const parts: T[][] = []
  for (let at = 0; at < items.length; at += MAX_NAMES) parts.push(items.slice(at, at + MAX_NAMES))
  return parts
}

/** Reads what came over the bus; what is not understood is left out, for it may be of a later release. */
export function parseNews(payload: unknown): News {
  const given = (typeof payload === 'object' && payload !== null ? payload : {}) as Record<string, unknown>
  const texts = (list: unknown) => (Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [])
  const isTag = (one: unknown): one is [string, number | null] => Array.isArray(one) && typeof one[0] === 'string'
  return {
    ...(typeof given['from'] === 'string' ? { from: given['from'] } : {}),
    ...(typeof given['mark'] === 'string' ? { mark: given['mark'] } : {}),
    keys: texts(given['keys']),
    tags: Array.isArray(given['tags'])
      ? given['tags']
          .filter(isTag)
          .map(([name, number]) => [name, Number.isSafeInteger(number) ? number : null] as const)
      : [],
    patterns: texts(given['patterns']),
    ...(given['isPending'] === true ? { isPending: true } : {}),
  }
}

import type { FarKey } from '@tailwater/cache'
import type { Answer, Call } from '../command_family.ts'
import { numberOf } from '../option_values.ts'
import { table } from '../table.ts'
import { type CacheTools, neededFar } from './cache_tools.ts'

/** Keys that one step of a scan looks at. */
const STEP = 1_000
/** Keys that `stats` counts at most: a scan of millions would keep the store busy. */
const MOST_COUNTED = 1_000_000

/** Keys of a pattern, as they come. */
async function* keysOf(tools: CacheTools, pattern: string): AsyncGenerator<FarKey> {
  const { browser } = neededFar(tools)
  let cursor: string | undefined
  do {
    const page = await browser.scan(pattern, cursor, STEP)
    yield* page.keys
    cursor = page.next
  } while (cursor !== undefined)
}

/** What is in the far tier, by namespace. */
export async function stats(tools: CacheTools): Promise<Answer> {
  const namespaces = new Map<string, { namespace: string; keys: number; bytes: number }>()
  let counted = 0
  for await (const { key, bytes } of keysOf(tools, '*')) {
    if (++counted > MOST_COUNTED) break
    const namespace = key.slice(0, key.indexOf(':'))
    const sum = namespaces.get(namespace) ?? { namespace, keys: 0, bytes: 0 }
    sum.keys++
    sum.bytes += bytes
    namespaces.set(namespace, sum)
  }
  const list = [...namespaces.values()].sort((a, b) => b.bytes - a.bytes)
  const isWhole = counted <= MOST_COUNTED
  const rows = list.map(({ namespace, keys, bytes }) => [namespace, keys, bytes])
  return {
    value: { backend: neededFar(tools).name, namespaces: list, complete: isWhole },
    lines: [
      ...(list.length > 0 ? table(['namespace', 'keys', 'bytes'], rows) : ['The far tier is empty.']),
      ...(isWhole ? [] : [`Only the first ${MOST_COUNTED} keys were counted.`]),
    ],
  }
}

/** Keys, up to a limit; a key may come twice in a scan and is named once. */
export async function keys(tools: CacheTools, call: Call): Promise<Answer> {
  const limit = numberOf(call, 'limit', { least: 1, most: 100_000, standard: 100 })
  const found = new Map<string, FarKey>()
  let isMore = false
  for await (const one of keysOf(tools, call.words[0] ?? '*')) {
    isMore = found.size === limit && !found.has(one.key)
    if (isMore) break
    found.set(one.key, one)
  }
  const list = [...found.values()]
  const rows = list.map(({ key, bytes, ttl }) => [key, bytes, Math.round(ttl / 1_000)])
  return {
    value: { keys: list, more: isMore },
    lines: [
      ...(list.length > 0 ? table(['key', 'bytes', 'seconds left'], rows) : ['There is no such key.']),
      ...(isMore ? [`There are more; --limit ${limit * 10} shows more of them.`] : []),
    ],
  }
}

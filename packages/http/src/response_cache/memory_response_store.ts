import { type Clock, resolveOptions, type Size, size, systemClock, value } from '@tailwater/core'
import type { ResponseStore } from './response_store.ts'
import { bytesOf, type Variants } from './stored_response.ts'

/** Options of `createMemoryResponseStore`. */
export interface MemoryResponseStoreOptions {
  /** Bodies, headers and overhead together. @default '64mb' */
  maxBytes?: Size
  /** @default systemClock */
  clock?: Clock
}

interface Kept {
  variants: Variants
  bytes: number
  expiresAt: number
  tags: readonly string[]
}

/** Invalidations remembered one by one; older marks than those remembered are refused, which costs a response, never its correctness. */
const REMEMBERED = 10_000

/**
 * Keeps responses in this process's memory, the least recently used going first.
 *
 * Each invalidation has a number. A mark is the number of the last one; what was marked before the invalidation of its key or of one of its tags is refused.
 *
 * @throws E_OPTIONS
 */
export function createMemoryResponseStore(options: MemoryResponseStoreOptions = {}): ResponseStore {
  const { maxBytes, clock } = resolveOptions('createMemoryResponseStore', options, {
    maxBytes: size({ default: '64mb' }),
    clock: value<Clock>('a Clock', (given) => typeof (given as Clock)?.elapsed === 'function', {
      default: systemClock,
    }),
  })
  // A Map iterates in order of insertion: re-inserting on a hit makes its first key the least recently used.
  const entries = new Map<string, Kept>()
  const byTag = new Map<string, Set<string>>()
  const invalidations = createInvalidationLog()
  let held = 0

  function remove(key: string): void {
    const kept = entries.get(key)
    if (!kept) return
    entries.delete(key)
    held -= kept.bytes
    for (const tag of kept.tags) {
      const keys = byTag.get(tag)
      keys?.delete(key)
      if (keys?.size === 0) byTag.delete(tag)
    }
  }

  return {
    read(key) {
      const mark = invalidations.last
      const kept = entries.get(key)
      if (!kept) return { variants: [], mark }
      if (kept.expiresAt <= clock.elapsed()) {
        remove(key)
        return { variants: [], mark }
      }
      entries.delete(key)
      entries.set(key, kept)
      return { variants: kept.variants, mark }
    },
    set(key, variants, { ttl, since, tags }) {
      if (invalidations.hasSince(since as number, [key, ...tags.map(tagName)])) return false
      const bytes = key.length * 2 + variants.reduce((sum, stored) => sum + bytesOf(stored), 0)
      remove(key)
      if (bytes > maxBytes / 8) return false
      entries.set(key, { variants, bytes, expiresAt: clock.elapsed() + ttl, tags })
      held += bytes
      for (const tag of tags) byTag.set(tag, (byTag.get(tag) ?? new Set()).add(key))
      for (const oldest of entries.keys()) {
        if (held <= maxBytes) break
        remove(oldest)
      }
      return true
    },
    delete(key) {
      invalidations.add([key])
      remove(key)
    },
    invalidateTags(tags) {
      invalidations.add(tags.map(tagName))
      for (const tag of tags) for (const key of [...(byTag.get(tag) ?? [])]) remove(key)
    },
    content: () => ({ entries: entries.size, bytes: held }),
  }
}

/** Tags and keys share the log's names; no key begins with a space. */
const tagName = (tag: string) => ` ${tag}`

function createInvalidationLog() {
  const lastOf = new Map<string, number>()
  let last = 0
  /** Marks before it may have missed what was forgotten. */
  let floor = 0
  return {
    get last() {
      return last
    },
    add(names: readonly string[]): void {
      last++
      for (const name of names) {
        lastOf.delete(name)
        lastOf.set(name, last)
      }
      for (const [name, at] of lastOf) {
        if (lastOf.size <= REMEMBERED) break
        lastOf.delete(name)
        floor = at
      }
    },
    hasSince: (mark: number, names: readonly string[]) =>
      mark < floor || names.some((name) => (lastOf.get(name) ?? 0) > mark),
  }
}

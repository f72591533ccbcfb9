/**
 * Compressed bodies of replies seen lately, by the hash of what was compressed.
 *
 * A list served from a cache has the same bytes each time, and compressing 5 KB costs more than
 * everything else a cached reply does. Keys must be hashes of the content: an ETag that a handler
 * made up may be the same for two resources.
 */
export interface VariantCache {
  get(key: string): Buffer | undefined
  set(key: string, bytes: Buffer): void
}

/** Bytes that an entry costs beside its body: key, map slot and buffer header, rounded up. */
const OVERHEAD = 256

/** Keeps at most `maxBytes`, the least recently used going first; an entry over an eighth of it is not kept. */
export function createVariantCache(maxBytes: number): VariantCache {
  const entries = new Map<string, Buffer>()
  let held = 0
  return {
    get(key) {
      const bytes = entries.get(key)
      if (bytes) {
        entries.delete(key)
        entries.set(key, bytes)
      }
      return bytes
    },
    set(key, bytes) {
      const cost = bytes.length + OVERHEAD
      if (cost > maxBytes / 8 || entries.has(key)) return
      entries.set(key, bytes)
      held += cost
      for (const [oldest, evicted] of entries) {
        if (held <= maxBytes) break
        entries.delete(oldest)
        held -= evicted.length + OVERHEAD
      }
    },
  }
}

import type { Redis } from '@tailwater/redis'

/** Keys of one script: the server answers nobody else while it runs, some microseconds for each. */
const CHUNK_KEYS = 200
/** Bytes that may lie in front of the last of a script's envelopes, for the same reason. */
const CHUNK_BYTES = 1_048_576

/** Items as scripts take them: many at once, or each alone in a cluster, where their keys lie apart. @param bytesOf an item */
export function chunksOf<Item>(redis: Redis, items: readonly Item[], bytesOf: (item: Item) => number): Item[][] {
  const most = redis.isCluster ? 1 : CHUNK_KEYS
  const chunks: Item[][] = []
  let bytes = CHUNK_BYTES
  for (const item of items) {
    const last = chunks.at(-1)
    if (last && last.length < most && bytes < CHUNK_BYTES) last.push(item)
    else {
      chunks.push([item])
      bytes = 0
    }
    bytes += bytesOf(item)
  }
  return chunks
}

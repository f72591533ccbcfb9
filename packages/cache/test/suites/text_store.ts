import type { FarBackend } from '../../src/far/far_backend.ts'

/** Milliseconds for those who name none. */
const FOREVER = 3_650 * 86_400_000

/** A far tier as other libraries see a store: texts by key, with no versions. */
export interface TextStore {
  get(keys: readonly string[]): Promise<(string | undefined)[]>
  set(entries: readonly { key: string; text: string; ttl?: number | undefined }[]): Promise<void>
  /** Whether each was there. */
  delete(keys: readonly string[]): Promise<boolean[]>
  keys(pattern: string): AsyncIterable<string>
}

/** @param prefix begins every key in the tier */
export function createTextStore(far: FarBackend, prefix: string): TextStore {
  const read = async (keys: readonly string[]) => far.entries.read(keys.map((key) => prefix + key))

  return {
    get: async (keys) => (await read(keys)).map(({ envelope }) => envelope?.toString()),
    async set(entries) {
      await far.entries.write(
        entries.map(({ key, text, ttl = FOREVER }) => ({ key: prefix + key, envelope: Buffer.from(text), ttl })),
      )
    },
    async delete(keys) {
      const readings = await read(keys)
      await far.entries.invalidate(keys.map((key) => prefix + key))
      return readings.map(({ envelope }) => envelope !== undefined)
    },
    async *keys(pattern) {
      let cursor: string | undefined
      do {
        const page = await far.browser.scan(prefix + pattern, cursor, 100)
        for (const { key } of page.keys) yield key.slice(prefix.length)
        cursor = page.next
      } while (cursor !== undefined)
    },
  }
}

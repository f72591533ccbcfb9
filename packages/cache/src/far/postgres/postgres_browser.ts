import type { Queryable } from '@tailwater/postgres'
import type { FarBrowser } from '../far_backend.ts'
import { patternRegExp } from '../key_pattern.ts'
import { BITE, type CacheStatements } from './statements.ts'

interface ScanRow {
  key: string
  /** Null for a tombstone, a lease and what has expired. */
  bytes: number | null
  ttl: number
}

/** Looks through the table in the order of its keys, from where the last page ended. */
export function createPostgresBrowser(database: Queryable, sql: CacheStatements): FarBrowser {
  return {
    async scan(pattern, cursor, limit) {
      const fits = patternRegExp(pattern)
      const [prefix = ''] = pattern.split('*', 1)
      const { rows } = await database.query<ScanRow>(sql.scan, [cursor ?? '', prefix, limit])
      const last = rows.at(-1)?.key
      return {
        keys: rows.flatMap(({ key, bytes, ttl }) => (bytes !== null && fits.test(key) ? [{ key, bytes, ttl }] : [])),
        // Behind the prefix no key matches any more.
        next: rows.length === limit && last?.startsWith(prefix) ? last : undefined,
      }
    },
    async clear() {
      for (let last: string | null = ''; last !== null; ) {
        const { rows }: { rows: { last: string | null }[] } = await database.query(sql.clear, [last, BITE])
        last = rows[0]!.last
      }
    },
  }
}

import type { Queryable } from '@tailwater/postgres'
import type { FarLeases } from '../far_backend.ts'
import type { CacheStatements } from './statements.ts'

/** Leases in the rows of the entries, so that one lock decides of both. */
export function createPostgresLeases(database: Queryable, sql: CacheStatements): FarLeases {
  return {
    async acquire(key, seen, token, ttl) {
      const { rows } = await database.query<{ answer: 'granted' | 'held' | 'changed' }>(sql.acquire, [
        key,
        seen,
        token,
        ttl,
      ])
      return rows[0]!.answer
    },
    async renew(key, token, ttl) {
      const { rows } = await database.query(sql.renew, [key, token, ttl])
      return rows.length > 0
    },
    async release(key, token) {
      await database.query(sql.release, [key, token])
    },
  }
}

import type { Lease, LeaseStore } from '@tailwater/core'
import { type Queryable, statement } from './queryable.ts'
import { DEFAULT_SCHEMA, quoteSchema } from './schema_name.ts'

/** Where leases are kept. */
export interface PostgresLeasesOptions {
  database: Queryable
  /** @default 'tailwater' */
  schema?: string
}

/**
 * Leases in a table, one row a name, in the server's time.
 *
 * Each operation is one statement that decides and writes under the row's lock. Rows stay when a lease is released: the epoch of a
 * name never goes back.
 */
export function createPostgresLeases({ database, schema = DEFAULT_SCHEMA }: PostgresLeasesOptions): LeaseStore {
  const sql = leaseSql(schema)
  return {
    async acquire(name, holder, ttl) {
      const { rows } = await database.query<{ epoch: string }>(sql.acquire, [name, holder, String(ttl)])
      return rows[0] && { name, holder, epoch: BigInt(rows[0].epoch), ttl }
    },
    async renew(lease, ttl) {
      const { rows } = await database.query(sql.renew, [...grantOf(lease), String(ttl)])
      return rows[0] && { ...lease, ttl }
    },
    async release(lease) {
      const { rows } = await database.query(sql.release, grantOf(lease))
      return rows.length > 0
    },
  }
}

const grantOf = ({ name, epoch }: Lease): string[] => [name, String(epoch)]

function leaseSql(schemaName: string) {
  const schema = quoteSchema(schemaName)
  const leases = `${schema}.leases`
  const end = (ttl: string) => `${schema}.now() + ${ttl}::text::float8 * interval '1 millisecond'`
  // A lease is live while its end lies in the future: whoever holds it is not held once the end has come.
  // An epoch was granted to one holder only.
  const isMine = `name = $1::text AND epoch = $2::text::bigint AND expires_at > ${schema}.now()`
  return {
    // leases_pkey finds the row and makes two that ask at once wait for each other.
    acquire: statement(
      `tw_lease_acquire:${schemaName}`,
      `INSERT INTO ${leases} AS held (name, holder, epoch, acquired_at, expires_at)
       VALUES ($1::text, $2::text, 1, ${schema}.now(), ${end('$3')})
       ON CONFLICT (name) DO UPDATE SET
         holder = excluded.holder,
         epoch = held.epoch + CASE WHEN held.expires_at > ${schema}.now() THEN 0 ELSE 1 END,
         acquired_at = CASE WHEN held.expires_at > ${schema}.now() THEN held.acquired_at ELSE excluded.acquired_at END,
         expires_at = excluded.expires_at
       WHERE held.holder = excluded.holder OR held.expires_at <= ${schema}.now()
       RETURNING epoch::text`,
    ),
    // leases_pkey
    renew: statement(
      `tw_lease_renew:${schemaName}`,
      `UPDATE ${leases} SET expires_at = ${end('$3')} WHERE ${isMine} RETURNING epoch`,
    ),
    // leases_pkey
    release: statement(
      `tw_lease_release:${schemaName}`,
      `UPDATE ${leases} SET expires_at = '-infinity' WHERE ${isMine} RETURNING epoch`,
    ),
  }
}

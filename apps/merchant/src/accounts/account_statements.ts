import { statement } from '@tailwater/postgres'

/** What is read of an API key. */
export const KEY_COLUMNS = `k.id::float8 AS id, k.name, k.created_at AS "createdAt", k.revoked_at AS "revokedAt"`

/** What is read of a merchant. */
export const MERCHANT_COLUMNS = `m.id::float8 AS id, m.slug, m.name, m.currency, m.time_zone AS "timeZone", m.created_at AS "createdAt"`

/** The statements of merchants and their keys. */
export type AccountStatements = ReturnType<typeof accountStatements>

/** @param schema quoted and ready to interpolate */
export function accountStatements(schema: string) {
  return {
    // api_keys_hash_key
    keyByHash: statement(
      'merchant_key_by_hash',
      `SELECT id::float8 AS id, merchant_id::float8 AS "merchantId"
       FROM ${schema}.api_keys WHERE hash = $1 AND revoked_at IS NULL`,
    ),
    // api_keys_pkey
    keyById: statement(
      'merchant_key_by_id',
      `SELECT id::float8 AS id, merchant_id::float8 AS "merchantId"
       FROM ${schema}.api_keys WHERE id = $1 AND merchant_id = $2 AND revoked_at IS NULL`,
    ),
    insertKey: statement(
      'merchant_key_insert',
      `INSERT INTO ${schema}.api_keys (merchant_id, name, hash) SELECT id, $2, $3 FROM ${schema}.merchants WHERE id = $1
       RETURNING id::float8 AS id, name, created_at AS "createdAt"`,
    ),
    revokeKey: statement(
      'merchant_key_revoke',
      `UPDATE ${schema}.api_keys k SET revoked_at = coalesce(k.revoked_at, now())
       WHERE k.id = $1 AND ($2::bigint IS NULL OR k.merchant_id = $2) RETURNING ${KEY_COLUMNS}`,
    ),
    merchantById: statement('merchant_by_id', `SELECT ${MERCHANT_COLUMNS} FROM ${schema}.merchants m WHERE m.id = $1`),
  }
}

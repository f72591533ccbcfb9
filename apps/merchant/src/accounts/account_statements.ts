import { statement } from '@tailwater/postgres'

/** The statements of merchants and their keys. */
export type AccountStatements = ReturnType<typeof accountStatements>

/** @param schema quoted and ready to interpolate */
export function accountStatements(schema: string) {
  const merchant = `id::float8 AS id, slug, name, currency, time_zone AS "timeZone", created_at AS "createdAt"`
  const key = `id::float8 AS id, name, created_at AS "createdAt", revoked_at AS "revokedAt"`
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
      `INSERT INTO ${schema}.api_keys (merchant_id, name, hash) VALUES ($1, $2, $3)
       RETURNING id::float8 AS id, name, created_at AS "createdAt"`,
    ),
    // api_keys_by_merchant
    keysOfMerchant: statement(
      'merchant_keys_of_merchant',
      `SELECT ${key} FROM ${schema}.api_keys WHERE merchant_id = $1 ORDER BY id LIMIT 100`,
    ),
    revokeKey: statement(
      'merchant_key_revoke',
      `UPDATE ${schema}.api_keys SET revoked_at = coalesce(revoked_at, now())
       WHERE id = $1 AND merchant_id = $2 RETURNING ${key}`,
    ),
    merchantById: statement('merchant_by_id', `SELECT ${merchant} FROM ${schema}.merchants WHERE id = $1`),
    merchantPage: statement(
      'merchant_page',
      `SELECT ${merchant} FROM ${schema}.merchants WHERE id > $1 ORDER BY id LIMIT $2`,
    ),
  }
}

import { statement } from '@tailwater/postgres'

/** What is read of a customer. */
export const CUSTOMER_COLUMNS = `c.id::float8 AS id, c.merchant_id::float8 AS "merchantId", c.external_id AS "externalId",
  c.email, c.name, c.country, c.created_at AS "createdAt"`

/** The statements of single customers. */
export type CustomerStatements = ReturnType<typeof customerStatements>

/** @param schema quoted and ready to interpolate */
export function customerStatements(schema: string) {
  return {
    // customers_pkey
    one: statement(
      'merchant_customer_one',
      `SELECT ${CUSTOMER_COLUMNS} FROM ${schema}.customers c
       WHERE c.id = $1 AND ($2::bigint IS NULL OR c.merchant_id = $2)`,
    ),
    insert: statement(
      'merchant_customer_insert',
      `INSERT INTO ${schema}.customers AS c (merchant_id, name, country, email, external_id) VALUES ($1, $2, $3, $4, $5)
       RETURNING ${CUSTOMER_COLUMNS}`,
    ),
    // customers_pkey; $6 and $8 say whether the fields that may be null are to change
    update: statement(
      'merchant_customer_update',
      `UPDATE ${schema}.customers c SET
         name = coalesce($3, c.name), country = coalesce($4, c.country),
         email = CASE WHEN $6::boolean THEN $5 ELSE c.email END,
         external_id = CASE WHEN $8::boolean THEN $7 ELSE c.external_id END
       WHERE c.id = $1 AND ($2::bigint IS NULL OR c.merchant_id = $2)
       RETURNING ${CUSTOMER_COLUMNS}`,
    ),
  }
}

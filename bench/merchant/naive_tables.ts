import type { Client } from 'pg'

/**
 * The merchant's own tables once more, column by column, with primary and foreign keys and no other index: what `SELECT *` of a naive version
 * reads is what the tables hold.
 */
const TABLES = ['merchants', 'categories', 'products', 'stock'].map(
  (table) => `
  CREATE TABLE naive.${table} (LIKE merchant.${table}
    INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING IDENTITY INCLUDING STORAGE);`,
)

const KEYS = `
  ALTER TABLE naive.merchants ADD PRIMARY KEY (id);
  ALTER TABLE naive.categories ADD PRIMARY KEY (id);
  ALTER TABLE naive.categories ADD FOREIGN KEY (parent_id) REFERENCES naive.categories;
  ALTER TABLE naive.products ADD PRIMARY KEY (id);
  ALTER TABLE naive.products ADD FOREIGN KEY (merchant_id) REFERENCES naive.merchants;
  ALTER TABLE naive.products ADD FOREIGN KEY (category_id) REFERENCES naive.categories;
  ALTER TABLE naive.stock ADD PRIMARY KEY (product_id);
  ALTER TABLE naive.stock ADD FOREIGN KEY (product_id) REFERENCES naive.products;`

/** In the order of their keys; `search` is left to the table, which generates it as ours does. */
const ROWS = [
  'INSERT INTO naive.merchants SELECT * FROM merchant.merchants ORDER BY id',
  'INSERT INTO naive.categories SELECT * FROM merchant.categories ORDER BY id',
  `INSERT INTO naive.products
     (id, merchant_id, category_id, sku, title, description, price, status, version, created_at, updated_at)
     SELECT id, merchant_id, category_id, sku, title, description, price, status, version, created_at, updated_at
     FROM merchant.products ORDER BY id`,
  'INSERT INTO naive.stock SELECT * FROM merchant.stock ORDER BY product_id',
]

/** Copies the catalogue into tables without our indexes, whole or not at all, in place of an earlier copy. */
export async function createNaiveTables(client: Client): Promise<void> {
  await client.query('BEGIN')
  await client.query('DROP SCHEMA IF EXISTS naive CASCADE; CREATE SCHEMA naive')
  for (const statement of [...TABLES, ...ROWS, KEYS]) await client.query(statement)
  await client.query('COMMIT')
  await client.query('VACUUM ANALYZE naive.merchants, naive.categories, naive.products, naive.stock')
}

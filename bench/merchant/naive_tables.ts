import type { Client } from 'pg'

/** The catalogue as somebody would write it down who has not thought of reading it yet: primary and foreign keys, and no other index. */
const TABLES = `
  CREATE SCHEMA naive;
  CREATE TABLE naive.merchants (
    id bigint PRIMARY KEY,
    slug text NOT NULL,
    name text NOT NULL
  );
  CREATE TABLE naive.categories (
    id bigint PRIMARY KEY,
    parent_id bigint REFERENCES naive.categories,
    slug text NOT NULL,
    name text NOT NULL
  );
  CREATE TABLE naive.products (
    id bigint PRIMARY KEY,
    merchant_id bigint NOT NULL REFERENCES naive.merchants,
    category_id bigint NOT NULL REFERENCES naive.categories,
    sku text NOT NULL,
    title text NOT NULL,
    description text NOT NULL,
    price numeric(14,3) NOT NULL,
    status text NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
  );
  CREATE TABLE naive.stock (
    product_id bigint PRIMARY KEY REFERENCES naive.products,
    on_hand integer NOT NULL,
    reserved integer NOT NULL,
    updated_at timestamptz NOT NULL
  );`

/** Without the column for full-text search, which a naive version has not: narrower rows, to its advantage. */
const ROWS = [
  'INSERT INTO naive.merchants SELECT id, slug, name FROM merchant.merchants ORDER BY id',
  'INSERT INTO naive.categories SELECT id, parent_id, slug, name FROM merchant.categories ORDER BY id',
  `INSERT INTO naive.products
     SELECT id, merchant_id, category_id, sku, title, description, price, status, version, created_at, updated_at
     FROM merchant.products ORDER BY id`,
  'INSERT INTO naive.stock SELECT product_id, on_hand, reserved, updated_at FROM merchant.stock ORDER BY product_id',
]

/** Copies the catalogue into tables without our indexes, whole or not at all. */
export async function createNaiveTables(client: Client): Promise<void> {
  await client.query('BEGIN')
  await client.query(TABLES)
  for (const rows of ROWS) await client.query(rows)
  await client.query('COMMIT')
  await client.query('VACUUM ANALYZE naive.merchants, naive.categories, naive.products, naive.stock')
}

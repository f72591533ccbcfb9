import { statement } from '@tailwater/postgres'

/** Categories there may be: they are read as one tree. */
export const MAX_CATEGORIES = 2_000

/** The statements of categories. */
export type CategoryStatements = ReturnType<typeof categoryStatements>

/** @param schema quoted and ready to interpolate */
export function categoryStatements(schema: string) {
  const columns = (table: string) =>
    `${table}.id::float8 AS id, ${table}.slug, ${table}.name, ${table}.parent_id::float8 AS "parentId"`
  const json = (table: string) =>
    `json_build_object('id', ${table}.id, 'slug', ${table}.slug, 'name', ${table}.name, 'parentId', ${table}.parent_id)`
  return {
    all: statement(
      'merchant_category_all',
      `SELECT ${columns('c')} FROM ${schema}.categories c ORDER BY c.name, c.id LIMIT ${MAX_CATEGORIES}`,
    ),
    // categories_pkey, categories_by_parent
    one: statement(
      'merchant_category_one',
      `SELECT ${columns('c')}, above.list AS ancestors, below.list AS children
       FROM ${schema}.categories c
       CROSS JOIN LATERAL (
         SELECT coalesce(json_agg(${json('a')} ORDER BY cardinality(a.path)), '[]') AS list
         FROM ${schema}.categories a WHERE a.id = ANY(c.path) AND a.id <> c.id
       ) above
       CROSS JOIN LATERAL (
         SELECT coalesce(json_agg(${json('b')} ORDER BY b.name, b.id), '[]') AS list
         FROM ${schema}.categories b WHERE b.parent_id = c.id
       ) below
       WHERE c.id = $1`,
    ),
    // No row when there is no such parent.
    insert: statement(
      'merchant_category_insert',
      `WITH next AS (
         SELECT nextval(pg_get_serial_sequence('${schema}.categories', 'id')) AS id, parent.path
         FROM (SELECT) one LEFT JOIN ${schema}.categories parent ON parent.id = $3
         WHERE $3::bigint IS NULL OR parent.id IS NOT NULL
       )
       INSERT INTO ${schema}.categories AS c (id, parent_id, slug, name, path)
       SELECT next.id, $3, $1, $2, coalesce(next.path, '{}') || next.id FROM next
       RETURNING ${columns('c')}`,
    ),
  }
}

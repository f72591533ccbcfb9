import type { Queryable } from '@tailwater/postgres'

/** Empties every table of the engine; quicker than a schema of its own for each clause. */
export async function emptyTables(database: Queryable, schema: string): Promise<void> {
  const { rows } = await database.query<{ table: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS table FROM pg_tables WHERE schemaname = $1 AND tablename LIKE 'jobs%'`,
    [schema],
  )
  await database.query(`TRUNCATE ${rows.map(({ table }) => table).join(', ')}`)
}

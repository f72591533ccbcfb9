import { escapeLiteral } from 'pg'
import type { Queryable } from '../queryable.ts'
import { quoteSchema } from '../schema_name.ts'

/**
 * Stops the clock of a schema, `schema.now()`, at `date` for every session; without a date it runs again.
 *
 * For tests only: it replaces the function, which takes the rights of the schema's owner.
 *
 * @example
 * await setTestTime(database, schema, new Date('2030-01-01T00:00:00Z'))
 */
export async function setTestTime(database: Queryable, schema: string, date?: Date): Promise<void> {
  const time = date ? `${escapeLiteral(date.toISOString())}::timestamptz` : 'clock_timestamp()'
  await database.query(
    `CREATE OR REPLACE FUNCTION ${quoteSchema(schema)}.now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS ${escapeLiteral(`SELECT ${time}`)}`,
  )
}

/** Moves the clock of a schema forward from what it shows, and leaves it stopped there. */
export async function passTestTime(database: Queryable, schema: string, ms: number): Promise<void> {
  const { rows } = await database.query<{ now: string }>(
    `SELECT to_char(${quoteSchema(schema)}.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS now`,
  )
  await setTestTime(database, schema, new Date(Date.parse(rows[0]!.now) + ms))
}

import { errnoOf } from './errors.ts'
import type { Hold } from './hold.ts'

/** The role and the database that are made for the application: their name. */
export const APPLICATION = 'tailwater'

/** Another process has made it meanwhile: a duplicate role or database, or a duplicate key beneath it. */
const MADE_BY_OTHERS = new Set(['42710', '42P04', '23505'])

/**
 * Makes the application's role and database, where they are missing.
 *
 * The role owns its database, sees what the server does, and may cancel statements; it is no superuser, so that a
 * hole in the application does not become one in the machine: `COPY … TO PROGRAM` and files of the server are out of reach.
 */
export async function makeApplicationDatabase(hold: Hold, password: string): Promise<void> {
  const [found] = await hold.run(`
    SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '${APPLICATION}') AS role,
      EXISTS (SELECT FROM pg_database WHERE datname = '${APPLICATION}') AS database`)
  if (!found?.['role'])
    await make(hold, [
      `CREATE ROLE ${APPLICATION} LOGIN PASSWORD '${password}' IN ROLE pg_monitor, pg_signal_backend`,
      'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC',
    ])
  if (!found?.['database']) await make(hold, [`CREATE DATABASE ${APPLICATION} OWNER ${APPLICATION}`])
}

async function make(hold: Hold, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    try {
      await hold.run(statement)
    } catch (error) {
      if (!MADE_BY_OTHERS.has(errnoOf(error) ?? '')) throw error
    }
  }
}

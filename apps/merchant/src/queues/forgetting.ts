import type { Jobs, Kind } from '@tailwater/jobs'
import { type Database, type Statement, statement } from '@tailwater/postgres'

/** Rows looked at in one statement: short locks. */
const BITE = 5_000

/** The statements that forget what is old: inboxes after half a year, the audit after two years. */
export type ForgettingStatements = ReturnType<typeof forgettingStatements>

/**
 * Rows come in the order of their ids, so the oldest are found by the primary key, and there is no index of ages to pay for.
 *
 * @param schema quoted and ready to interpolate
 */
export function forgettingStatements(schema: string) {
  const forget = (name: string, table: string, moment: string, age: string) =>
    statement(
      `merchant_forget_${name}`,
      `WITH gone AS (
         DELETE FROM ${schema}.${table} WHERE id = ANY (ARRAY(SELECT id FROM ${schema}.${table} ORDER BY id LIMIT ${BITE}))
           AND ${moment} < now() - interval '${age}' RETURNING id
       ) SELECT count(*)::int AS gone FROM gone`,
    )
  return {
    // notifications_pkey
    notifications: forget('notifications', 'notifications', 'created_at', '180 days'),
    // audit_entries_pkey
    auditEntries: forget('audit_entries', 'audit_entries', 'happened_at', '2 years'),
  }
}

/** What is forgotten by. */
export interface ForgettingParts {
  database: Database
  statements: ForgettingStatements
}

/** The nightly job that deletes what nobody reads any more; interrupted it goes on the next time. */
export function defineForgetting(jobs: Jobs, { database, statements }: ForgettingParts): Kind<null> {
  async function forget(old: Statement, signal: AbortSignal): Promise<number> {
    for (let forgotten = 0; ; ) {
      const { rows } = await database.query<{ gone: number }>(old, [], { signal })
      const { gone } = rows[0]!
      if (gone === 0) return forgotten
      forgotten += gone
    }
  }
  return jobs.define<null>({
    kind: 'forgetting',
    queue: 'analytics',
    unique: { by: 'kind', for: 'until-done' },
    run: async ({ signal }) => ({
      notifications: await forget(statements.notifications, signal),
      auditEntries: await forget(statements.auditEntries, signal),
    }),
  })
}

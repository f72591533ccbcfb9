import { escapeIdentifier, escapeLiteral } from 'pg'
import type { KnownMigration } from './migration_plan.ts'

/**
 * Taken in every migration's transaction, so that of processes starting together each migration is applied by one. Of the transaction and
 * not of the session: behind a transaction pooler the session belongs to somebody else after COMMIT.
 */
export function lockSql(schema: string): string {
  return `SELECT pg_advisory_xact_lock(hashtextextended(${escapeLiteral(`tailwater:migrations:${schema}`)}, 0))`
}

/** How long a statement of the transaction may wait for a lock; a long wait for a table blocks everyone who comes after it. */
export function timeoutSql(lockTimeout: number): string {
  return `SET LOCAL lock_timeout = ${Math.max(1, Math.round(lockTimeout))}; SET LOCAL statement_timeout = 0`
}

/** Makes the schema; apart from the table, because CREATE SCHEMA needs a right on the database even when the schema exists. */
export function createSchemaSql(schema: string): string {
  return `CREATE SCHEMA IF NOT EXISTS ${schema}`
}

/** Makes the table that remembers what was applied. */
export function createTableSql(schema: string): string {
  return `CREATE TABLE IF NOT EXISTS ${schema}.migrations (
  module text NOT NULL,
  version integer NOT NULL CHECK (version > 0),
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (module, version)
)`
}

/** A migration's own row. A second run of the same text by hand fails here, and with it the whole transaction. */
export function recordSql(schema: string, { module, version, name, checksum }: KnownMigration): string {
  const values = [escapeLiteral(module), String(version), escapeLiteral(name), escapeLiteral(checksum)]
  return `INSERT INTO ${schema}.migrations (module, version, name, checksum) VALUES (${values.join(', ')})`
}

/**
 * What a role needs to run the application and no more: rows, sequences and functions, no shapes.
 *
 * Default privileges hold for objects that the role running this text makes later, so that the next migration needs no grants of its own.
 */
export function grantsSql(schema: string, role: string): string[] {
  const grantee = escapeIdentifier(role)
  const forLater = `ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema}`
  return [
    `GRANT USAGE ON SCHEMA ${schema} TO ${grantee}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${grantee}`,
    `REVOKE INSERT, UPDATE, DELETE ON ${schema}.migrations FROM ${grantee}`,
    `GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${schema} TO ${grantee}`,
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${grantee}`,
    `${forLater} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${grantee}`,
    `${forLater} GRANT USAGE, SELECT ON SEQUENCES TO ${grantee}`,
    `${forLater} GRANT EXECUTE ON FUNCTIONS TO ${grantee}`,
  ]
}

/** One transaction as a person would type it. */
export function transactionText(title: string, statements: readonly string[]): string {
  const body = statements.map((text) => `${text.trim().replace(/;$/, '')};`)
  return [`-- ${title.replaceAll('\n', ' ')}`, 'BEGIN;', ...body, 'COMMIT;', ''].join('\n')
}

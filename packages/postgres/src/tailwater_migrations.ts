import type { MigrationModule } from './migration.ts'
import { outboxMigration } from './outbox/migration.ts'

/** The tables of the ground itself: the clock, leases, settings, the outbox. Comes before every other module. */
export const tailwaterMigrations: MigrationModule = {
  module: 'tailwater',
  migrations: [
    {
      version: 1,
      name: 'the clock',
      // Time goes on within a transaction, unlike in PostgreSQL's own now(): a lease must not look live because its transaction began early.
      // STABLE, so that a comparison with it can be answered from an index. The testing package replaces the body.
      up: (schema) => `
        CREATE FUNCTION ${schema}.now() RETURNS timestamptz
          LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT clock_timestamp()';`,
    },
    {
      version: 2,
      name: 'leases',
      up: (schema) => `
        CREATE TABLE ${schema}.leases (
          name text PRIMARY KEY,
          holder text NOT NULL,
          -- Grows each time the lease changes hands, and never goes back: rows are not deleted.
          epoch bigint NOT NULL,
          acquired_at timestamptz NOT NULL,
          expires_at timestamptz NOT NULL
        );`,
    },
    {
      version: 3,
      name: 'settings and their audit',
      up: (schema) => `
        CREATE TABLE ${schema}.settings (
          name text PRIMARY KEY,
          value jsonb NOT NULL,
          updated_at timestamptz NOT NULL
        );
        CREATE TABLE ${schema}.settings_audit (
          id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          name text NOT NULL,
          who text NOT NULL,
          -- NULL where the default was in force before, or is again.
          old_value jsonb,
          new_value jsonb,
          reason text,
          changed_at timestamptz NOT NULL
        );
        CREATE INDEX settings_audit_by_name ON ${schema}.settings_audit (name, id DESC);`,
    },
    outboxMigration,
  ],
}

import type { Migration } from '@tailwater/postgres'

/** Orders that were handed on to be packed. */
export const fulfilmentsMigration: Migration = {
  version: 6,
  name: 'fulfilments',
  up: (schema) => `
    CREATE TABLE ${schema}.fulfilments (
      order_id bigint PRIMARY KEY REFERENCES ${schema}.orders ON DELETE CASCADE,
      -- What of the confirmation did not come about, by kind of job: somebody has to see to it.
      missing text[] NOT NULL DEFAULT '{}',
      requested_at timestamptz NOT NULL DEFAULT now()
    );`,
}

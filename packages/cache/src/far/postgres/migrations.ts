import type { MigrationModule } from '@tailwater/postgres'

/**
 * The tables of a far tier in PostgreSQL.
 *
 * They are not logged: a cache is worth nothing after a crash, and writing it costs a half of what it would. After a crash, and on a promoted replica, they are empty.
 */
export const cacheMigrations: MigrationModule = {
  module: 'cache',
  migrations: [
    {
      version: 1,
      name: 'the far tier',
      up: (schema) => `
        CREATE UNLOGGED TABLE ${schema}.cache_entries (
          -- In the order of bytes, so that a prefix is a range.
          key text COLLATE "C" PRIMARY KEY,
          version text NOT NULL,
          -- NULL for a tombstone, and for a row that is there for its lease only.
          envelope bytea,
          expires_at timestamptz NOT NULL,
          -- Who loads the key, and until when that counts.
          lease text,
          lease_until timestamptz NOT NULL DEFAULT '-infinity',
          -- What a write expects: ON CONFLICT sees of it only what it would have inserted.
          expected text
        ) WITH (fillfactor = 80);
        -- Envelopes that are worth it are compressed already.
        ALTER TABLE ${schema}.cache_entries ALTER COLUMN envelope SET STORAGE EXTERNAL;
        -- Trimming.
        CREATE INDEX cache_entries_expiry ON ${schema}.cache_entries (expires_at);

        CREATE UNLOGGED TABLE ${schema}.cache_tags (
          name text COLLATE "C" PRIMARY KEY,
          number bigint NOT NULL,
          expires_at timestamptz NOT NULL
        );
        -- Trimming.
        CREATE INDEX cache_tags_expiry ON ${schema}.cache_tags (expires_at);

        -- One row, which is lost with the rest, and made again with another generation.
        CREATE UNLOGGED TABLE ${schema}.cache_state (
          id boolean PRIMARY KEY DEFAULT true CHECK (id),
          generation text NOT NULL,
          -- The counter of tags. A row and not a sequence: who gives a tag its first number must wait for an invalidation that is just being committed.
          number bigint NOT NULL
        );`,
    },
  ],
}

import type { MigrationModule } from '@tailwater/postgres'

/** The tables of the administrators' accounts. */
export const dashboardMigrations: MigrationModule = {
  module: 'dashboard',
  migrations: [
    {
      version: 1,
      name: 'users, sessions and tokens',
      up: (schema) => `
        CREATE TABLE ${schema}.users (
          id uuid PRIMARY KEY,
          email text NOT NULL CHECK (email LIKE '%_@_%' AND length(email) <= 254),
          -- PHC text of argon2id, its parameters and salt included.
          password_hash text NOT NULL,
          role text NOT NULL DEFAULT 'administrator' CHECK (role IN ('administrator')),
          must_change_password boolean NOT NULL DEFAULT false,
          password_changed_at timestamptz NOT NULL,
          created_at timestamptz NOT NULL,
          disabled_at timestamptz
        );
        -- Log-in: one account an address, however it is capitalised.
        CREATE UNIQUE INDEX users_email ON ${schema}.users (lower(email));
        CREATE TABLE ${schema}.sessions (
          -- SHA-256 of the cookie's value: who reads the table cannot log in with it.
          hash bytea PRIMARY KEY,
          user_id uuid NOT NULL REFERENCES ${schema}.users ON DELETE CASCADE,
          created_at timestamptz NOT NULL,
          last_seen_at timestamptz NOT NULL,
          expires_at timestamptz NOT NULL
        );
        -- A changed password ends a user's other sessions.
        CREATE INDEX sessions_user ON ${schema}.sessions (user_id);
        -- Removal of the expired.
        CREATE INDEX sessions_expiry ON ${schema}.sessions (expires_at);
        CREATE TABLE ${schema}.tokens (
          -- The token's jti.
          id uuid PRIMARY KEY,
          user_id uuid NOT NULL REFERENCES ${schema}.users ON DELETE CASCADE,
          created_at timestamptz NOT NULL,
          expires_at timestamptz NOT NULL,
          revoked_at timestamptz
        );
        -- A changed password revokes a user's tokens.
        CREATE INDEX tokens_user ON ${schema}.tokens (user_id);
        -- Removal of the expired.
        CREATE INDEX tokens_expiry ON ${schema}.tokens (expires_at);`,
    },
  ],
}

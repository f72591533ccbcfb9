import type { MigrationModule } from '@tailwater/postgres'

/** The tables of messaging: what is declared, and what was handled already. */
export const messagingMigrations: MigrationModule = {
  module: 'messaging',
  migrations: [
    {
      version: 1,
      name: 'messaging',
      up: (schema) => `
        -- One row: grows with every change of the three tables below, whose writers take turns by it.
        CREATE TABLE ${schema}.message_topology (version bigint NOT NULL, is_one boolean PRIMARY KEY DEFAULT true CHECK (is_one));
        INSERT INTO ${schema}.message_topology (version) VALUES (1);
        CREATE TABLE ${schema}.message_exchanges (
          name text PRIMARY KEY,
          type text NOT NULL CHECK (type IN ('topic', 'direct', 'fanout'))
        );
        CREATE TABLE ${schema}.message_subscriptions (name text PRIMARY KEY, spec text NOT NULL);
        -- Who listens without a queue, while it shows signs of life.
        CREATE TABLE ${schema}.message_listeners (id text PRIMARY KEY, bindings text NOT NULL, alive_until timestamptz NOT NULL);
        -- Messages that a subscription has handled in a transaction of its own.
        CREATE TABLE ${schema}.message_inbox (
          subscription text NOT NULL,
          message_id text NOT NULL,
          handled_at timestamptz NOT NULL,
          PRIMARY KEY (subscription, message_id)
        );
        -- Trimming, by age.
        CREATE INDEX message_inbox_handled ON ${schema}.message_inbox (handled_at);`,
    },
  ],
}

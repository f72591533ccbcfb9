import type { Migration } from '@tailwater/postgres'

/** What is to be told to marketplaces, what they were told, and what they have ordered. */
export const syncMigration: Migration = {
  version: 7,
  name: 'marketplace synchronisation',
  up: (schema) => `
    CREATE TABLE ${schema}.marketplace_syncs (
      marketplace_id bigint PRIMARY KEY REFERENCES ${schema}.marketplaces,
      -- Where the next reading of its orders goes on.
      cursor text,
      asked_at timestamptz,
      read_at timestamptz,
      told_at timestamptz,
      -- A job that tells it all is on its way, and has not begun.
      is_push_wanted boolean NOT NULL DEFAULT false,
      failed_at timestamptz,
      error text
    );
    CREATE TABLE ${schema}.marketplace_orders (
      marketplace_id bigint NOT NULL REFERENCES ${schema}.marketplaces,
      external_id text NOT NULL,
      outcome text NOT NULL CHECK (outcome IN ('accepted', 'refused')),
      -- Why it was refused.
      reason text,
      -- An order for each merchant whose products are in it.
      order_ids bigint[] NOT NULL DEFAULT '{}',
      merchant_ids bigint[] NOT NULL DEFAULT '{}',
      placed_at timestamptz NOT NULL,
      received_at timestamptz NOT NULL DEFAULT now(),
      answered_at timestamptz,
      -- What the marketplace said of our answer when it did not want it.
      objection text,
      PRIMARY KEY (marketplace_id, external_id)
    );
    CREATE INDEX marketplace_orders_unanswered ON ${schema}.marketplace_orders (marketplace_id, received_at)
      WHERE answered_at IS NULL;
    CREATE INDEX marketplace_orders_received ON ${schema}.marketplace_orders (marketplace_id, received_at);
    CREATE TABLE ${schema}.listing_syncs (
      listing_id bigint PRIMARY KEY REFERENCES ${schema}.listings ON DELETE CASCADE,
      marketplace_id bigint NOT NULL REFERENCES ${schema}.marketplaces,
      -- Grows with each change: what was told when it had this number is all there is to tell, if it still has it.
      revision bigint NOT NULL DEFAULT 1,
      -- Since when something is to be told; null when nothing is. Changes go before what is only told again.
      waiting_since timestamptz,
      is_repetition boolean NOT NULL DEFAULT false,
      -- Somebody tells it just now, or has died: until then nobody else does.
      claimed_until timestamptz,
      may_be_there boolean NOT NULL DEFAULT false,
      -- What the marketplace was told last, and under which of its numbers. No title: nobody knows what it shows, if anything.
      external_id text,
      title text,
      price numeric(14,3),
      quantity integer,
      told_at timestamptz,
      -- Why the marketplace did not take it as it is.
      refusal text
    );
    CREATE INDEX listing_syncs_waiting ON ${schema}.listing_syncs (marketplace_id, is_repetition, waiting_since)
      WHERE waiting_since IS NOT NULL;`,
}

import type { Migration } from '../migration.ts'

// Written out here and shared with nothing: an applied migration must read the same for ever.

const lineLock = (schema: string) =>
  `pg_advisory_xact_lock(hashtextextended('tailwater:outbox:' || '${schema.replaceAll("'", "''")}', 0))`

const endOfLine = (schema: string) => `greatest(
          (SELECT sequence FROM ${schema}.outbox WHERE sequence IS NOT NULL ORDER BY sequence DESC LIMIT 1),
          (SELECT sequence FROM ${schema}.outbox_trim))`

/**
 * The outbox: rows, their line, and how far each consumer has got.
 *
 * Ids are drawn when a row is inserted, and transactions commit in another order: whoever reads by id skips the rows of the slower
 * transaction. So a row gets its place in line (`sequence`) only once it can be seen, from a function that runs one at a time; see
 * docs/decisions/0003-outbox-and-bus.md.
 */
export const outboxMigration: Migration = {
  version: 4,
  name: 'the outbox',
  up: (schema) => `${tables(schema)}
${lineFunctions(schema)}`,
}

function tables(schema: string): string {
  return `
    CREATE SEQUENCE ${schema}.outbox_ids;
    -- The transaction has its own id before it draws one here: that is what lets outbox_line() tell, of an id that is
    -- not to be seen, that nobody can commit it any more.
    CREATE FUNCTION ${schema}.outbox_next_id() RETURNS bigint LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_current_xact_id();
      RETURN nextval('${schema}.outbox_ids');
    END $$;

    CREATE TABLE ${schema}.outbox (
      id bigint PRIMARY KEY DEFAULT ${schema}.outbox_next_id(),
      -- Place in line; NULL until outbox_line() has seen the row committed.
      sequence bigint,
      topic text NOT NULL,
      -- json, not jsonb: the text as it was, also with \\u0000, which jsonb refuses.
      payload json NOT NULL,
      -- Of the request that wrote the row: { requestId, traceparent, tracestate }.
      context json,
      -- A message of the bus: for every process once, not for consumers.
      broadcast boolean NOT NULL DEFAULT false,
      appended_at timestamptz NOT NULL DEFAULT ${schema}.now(),
      sequenced_at timestamptz
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
            autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 20000);
    ALTER SEQUENCE ${schema}.outbox_ids OWNED BY ${schema}.outbox.id;
    CREATE UNIQUE INDEX outbox_in_line ON ${schema}.outbox (sequence) WHERE sequence IS NOT NULL;
    CREATE INDEX outbox_waiting ON ${schema}.outbox (id) WHERE sequence IS NULL;

    -- One row: up to where rows may have been deleted.
    CREATE TABLE ${schema}.outbox_trim (
      only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
      sequence bigint NOT NULL
    );
    INSERT INTO ${schema}.outbox_trim (sequence) VALUES (0);

    CREATE TABLE ${schema}.outbox_consumers (
      name text PRIMARY KEY,
      -- LIKE patterns of the topics it follows.
      topics text[] NOT NULL,
      -- Everything up to here has been handled.
      position bigint NOT NULL,
      -- Of the leader that may write this row.
      epoch bigint NOT NULL,
      failures integer NOT NULL DEFAULT 0,
      -- The row that fails, and why; the line waits behind it.
      blocked_at bigint,
      last_error text,
      updated_at timestamptz NOT NULL DEFAULT ${schema}.now()
    );`
}

function lineFunctions(schema: string): string {
  return `
    -- Gives committed rows their place in line, oldest id first, at most batch of them and none with an id up to low.
    -- After it, no id up to top can be waiting once every transaction up to bound has ended, which a later call tells by running > bound.
    CREATE FUNCTION ${schema}.outbox_line(low bigint, batch integer,
      OUT last bigint, OUT moved integer, OUT top bigint, OUT bound xid8, OUT running xid8) LANGUAGE plpgsql AS $$
    BEGIN
      running := pg_snapshot_xmin(pg_current_snapshot());
      moved := 0;
      -- outbox_waiting
      IF EXISTS (SELECT FROM ${schema}.outbox WHERE sequence IS NULL AND id > low) THEN
        PERFORM ${lineLock(schema)};
        -- Statements from here on see what the holder of the lock before committed.
        SELECT last_value INTO top FROM ${schema}.outbox_ids;
        bound := pg_current_xact_id();
        last := ${endOfLine(schema)};
        -- outbox_waiting
        WITH next AS (
          SELECT id, row_number() OVER (ORDER BY id) AS place FROM (
            SELECT id FROM ${schema}.outbox WHERE sequence IS NULL AND id > low ORDER BY id LIMIT batch) AS waiting
        )
        UPDATE ${schema}.outbox AS o SET sequence = last + next.place, sequenced_at = ${schema}.now()
          FROM next WHERE o.id = next.id;
        GET DIAGNOSTICS moved = ROW_COUNT;
        last := last + moved;
      ELSE
        last := ${endOfLine(schema)};
      END IF;
    END $$;

    -- Puts messages of the bus in line at once: nobody else can have seen them, so there is nothing to wait for.
    CREATE FUNCTION ${schema}.outbox_broadcast(topics json, payloads json) RETURNS bigint LANGUAGE plpgsql AS $$
    DECLARE
      last bigint;
      added integer;
    BEGIN
      PERFORM ${lineLock(schema)};
      last := ${endOfLine(schema)};
      INSERT INTO ${schema}.outbox (sequence, topic, payload, broadcast, sequenced_at)
        SELECT last + m.place, m.topic, m.payload, true, ${schema}.now() FROM
          ROWS FROM (json_array_elements_text(topics), json_array_elements(payloads)) WITH ORDINALITY AS m (topic, payload, place);
      GET DIAGNOSTICS added = ROW_COUNT;
      RETURN last + added;
    END $$;`
}

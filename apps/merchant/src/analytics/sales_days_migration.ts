import type { Migration } from '@tailwater/postgres'

/*
 * Sales by day, kept as a bag of changes.
 *
 * Sums over a million lines take a fifth of a second, and everybody's first page wants them. So what is sold is also
 * summed up by merchant, day and country. Adding to one row a day would make all checkouts of a merchant wait for
 * each other's commit; instead each statement that writes orders or lines inserts a row with its change, and a reader
 * adds up whatever rows there are. A sweep (sales_days.ts) merges them in one statement, so that a reader sees the many
 * rows or the one, never both: the sums are exact at every instant, however seldom it runs.
 *
 * Triggers keep it and not the application, so that a checkout, a cancellation, an import and a statement written by
 * hand count alike. A day is the merchant's own, by its time zone. Cancelled orders don't count.
 */

/** Adds the table, and the triggers that keep it. */
export const salesDaysMigration: Migration = {
  version: 3,
  name: 'sales by day',
  up: (schema) => [table(schema), functions(schema), triggers(schema)].join('\n'),
}

function table(schema: string): string {
  return `
    CREATE TABLE ${schema}.sales_days (
      merchant_id bigint NOT NULL,
      day date NOT NULL,
      country text NOT NULL,
      orders integer NOT NULL,
      returns integer NOT NULL,
      lines integer NOT NULL,
      units bigint NOT NULL,
      -- Of orders, their adjustments included.
      gross numeric(16,3) NOT NULL,
      -- Of returns, as a positive amount: gross - returned is the net revenue.
      returned numeric(16,3) NOT NULL,
      merged boolean NOT NULL DEFAULT false
    );
    CREATE INDEX sales_days_by_merchant_day ON ${schema}.sales_days (merchant_id, day, country);
    -- What the sweep has to merge: nearly empty, however many days there are.
    CREATE INDEX sales_days_unmerged ON ${schema}.sales_days (merchant_id, day, country) WHERE NOT merged;`
}

/** Inserts the change that orders \`o\` make, their lines apart. \`sign\` is 1 to add them and -1 to take them away. */
function orderChange(schema: string, from: string, sign: string, where = 'true'): string {
  return `
    INSERT INTO ${schema}.sales_days (merchant_id, day, country, orders, returns, lines, units, gross, returned)
    SELECT o.merchant_id, (o.placed_at AT TIME ZONE m.time_zone)::date, o.country,
           ${sign} * count(*) FILTER (WHERE o.kind = 'order'), ${sign} * count(*) FILTER (WHERE o.kind = 'return'),
           0, 0, 0, 0
    FROM ${from} JOIN ${schema}.merchants m ON m.id = o.merchant_id
    WHERE o.status <> 'cancelled' AND ${where} GROUP BY 1, 2, 3;`
}

/** Inserts the change that lines \`l\` of orders \`o\` make. */
function lineChange(schema: string, from: string, sign: string, where = 'true'): string {
  return `
    INSERT INTO ${schema}.sales_days (merchant_id, day, country, orders, returns, lines, units, gross, returned)
    SELECT o.merchant_id, (l.sold_at AT TIME ZONE m.time_zone)::date, o.country, 0, 0,
           ${sign} * count(*), ${sign} * sum(l.quantity),
           ${sign} * coalesce(sum(l.amount) FILTER (WHERE o.kind = 'order'), 0),
           ${sign} * coalesce(-sum(l.amount) FILTER (WHERE o.kind = 'return'), 0)
    FROM ${from} JOIN ${schema}.merchants m ON m.id = o.merchant_id
    WHERE o.status <> 'cancelled' AND ${where} GROUP BY 1, 2, 3;`
}

function functions(schema: string): string {
  const givenOrder = '(SELECT (given).*) o'
  const givenLine = `(SELECT (given).*) l JOIN ${schema}.orders o ON o.id = l.order_id`
  const allLines = `${schema}.order_lines l JOIN ${schema}.orders o ON o.id = l.order_id`
  return `
    CREATE FUNCTION ${schema}.count_order(given ${schema}.orders, sign integer) RETURNS void LANGUAGE sql AS $$
      ${orderChange(schema, givenOrder, 'sign')}
      ${lineChange(schema, `${givenOrder} JOIN ${schema}.order_lines l ON l.order_id = o.id`, 'sign')}
    $$;
    CREATE FUNCTION ${schema}.count_line(given ${schema}.order_lines, sign integer) RETURNS void LANGUAGE sql AS $$
      ${lineChange(schema, givenLine, 'sign')}
    $$;
    CREATE FUNCTION ${schema}.recount_merchant(merchant bigint) RETURNS void LANGUAGE sql AS $$
      DELETE FROM ${schema}.sales_days WHERE merchant_id = merchant;
      ${orderChange(schema, `${schema}.orders o`, '1', 'o.merchant_id = merchant')}
      ${lineChange(schema, allLines, '1', 'o.merchant_id = merchant')}
    $$;
    SELECT ${schema}.recount_merchant(id) FROM ${schema}.merchants;`
}

/**
 * Whole statements that insert are counted at once, rows that change one by one: that happens to few.
 *
 * The former EXECUTE their text: a plan kept from the load of a million lines would make every later checkout of the
 * same connection read all orders.
 */
function triggers(schema: string): string {
  const addedLines = `added l JOIN ${schema}.orders o ON o.id = l.order_id`
  return `
    CREATE FUNCTION ${schema}.orders_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      EXECUTE $sql$ ${orderChange(schema, 'added o', '1')} $sql$;
      RETURN NULL;
    END $$;
    CREATE FUNCTION ${schema}.order_lines_added() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      EXECUTE $sql$ ${lineChange(schema, addedLines, '1')} $sql$;
      RETURN NULL;
    END $$;
    CREATE FUNCTION ${schema}.order_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM ${schema}.count_order(OLD, -1);
      IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
      PERFORM ${schema}.count_order(NEW, 1);
      RETURN NULL;
    END $$;
    CREATE FUNCTION ${schema}.order_line_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM ${schema}.count_line(OLD, -1);
      IF TG_OP = 'UPDATE' THEN PERFORM ${schema}.count_line(NEW, 1); END IF;
      RETURN NULL;
    END $$;
    CREATE FUNCTION ${schema}.merchant_moved() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      PERFORM ${schema}.recount_merchant(NEW.id);
      RETURN NULL;
    END $$;
    CREATE TRIGGER orders_added AFTER INSERT ON ${schema}.orders
      REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.orders_added();
    CREATE TRIGGER order_lines_added AFTER INSERT ON ${schema}.order_lines
      REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ${schema}.order_lines_added();
    CREATE TRIGGER order_changed AFTER UPDATE ON ${schema}.orders FOR EACH ROW
      WHEN ((OLD.merchant_id, OLD.kind, OLD.country, OLD.placed_at, OLD.status = 'cancelled')
        IS DISTINCT FROM (NEW.merchant_id, NEW.kind, NEW.country, NEW.placed_at, NEW.status = 'cancelled'))
      EXECUTE FUNCTION ${schema}.order_changed();
    -- Before the deletion reaches its lines, which then find no order to be taken from.
    CREATE TRIGGER order_deleted BEFORE DELETE ON ${schema}.orders
      FOR EACH ROW EXECUTE FUNCTION ${schema}.order_changed();
    CREATE TRIGGER order_line_changed AFTER UPDATE OR DELETE ON ${schema}.order_lines
      FOR EACH ROW EXECUTE FUNCTION ${schema}.order_line_changed();
    CREATE TRIGGER merchant_moved AFTER UPDATE ON ${schema}.merchants FOR EACH ROW
      WHEN (OLD.time_zone <> NEW.time_zone) EXECUTE FUNCTION ${schema}.merchant_moved();`
}

import { STAGED_COLUMNS } from './staged_line.ts'

/** The statements that turn staged lines into orders. They run once per import, so they aren't prepared. */
export type ImportStatements = ReturnType<typeof importStatements>

/** The zone in which the file tells its times. */
const FILE_ZONE = 'Europe/London'

/** @param schema quoted and ready to interpolate */
export function importStatements(schema: string) {
  return {
    ...stagingStatements(),
    ...catalogueStatements(schema),
    ...orderStatements(schema),
    ...reportStatements(schema),
  }
}

function stagingStatements() {
  return {
    createStaging: `
      CREATE TEMPORARY TABLE staged_lines (
        line integer NOT NULL, invoice text NOT NULL, ordinal integer NOT NULL, kind text NOT NULL, code text NOT NULL,
        description text NOT NULL, quantity integer NOT NULL, sold_at timestamp NOT NULL, price numeric(14,3) NOT NULL,
        customer text, country text NOT NULL
      ) ON COMMIT DROP`,
    copyStaging: `COPY staged_lines (${STAGED_COLUMNS.join(', ')}) FROM STDIN`,
    analyseStaging: 'ANALYZE staged_lines',
    // One look at the staging table instead of one for each product, customer and order.
    createStagedOrders: `
      CREATE TEMPORARY TABLE staged_orders ON COMMIT DROP AS
      SELECT invoice, NULL::bigint AS id, false AS existed, min(line) AS first_line, min(sold_at) AT TIME ZONE '${FILE_ZONE}' AS placed_at, sum(quantity * price) AS total,
             (array_agg(customer ORDER BY line) FILTER (WHERE customer IS NOT NULL))[1] AS customer,
             (array_agg(country ORDER BY line))[1] AS country,
             left(invoice, 1) IN ('C', 'c') AS is_return
      FROM staged_lines GROUP BY invoice`,
    analyseStagedOrders: 'ANALYZE staged_orders',
  }
}

function catalogueStatements(schema: string) {
  return {
    insertMerchant: `
      INSERT INTO ${schema}.merchants (slug, name, time_zone) VALUES ($1, $2, '${FILE_ZONE}')
      ON CONFLICT (slug) DO NOTHING`,
    // The lock makes two imports for one merchant take turns.
    lockMerchant: `SELECT id::text AS id FROM ${schema}.merchants WHERE slug = $1 FOR NO KEY UPDATE`,
    insertApiKey: `
      INSERT INTO ${schema}.api_keys (merchant_id, name, hash) VALUES ($1::bigint, 'first', $2)
      ON CONFLICT (hash) DO NOTHING`,
    insertCategory: `
      WITH next AS (SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id)
      INSERT INTO ${schema}.categories (id, slug, name, path)
      SELECT id, $2, $3, ARRAY[id] FROM next
      ON CONFLICT (slug) DO NOTHING`,
    // $1 merchant, $2 category slugs and $3 their words in order, $4 slug of the rest, $5 slug of services, $6 what service codes look like.
    insertProducts: `
      WITH titles AS (
        SELECT DISTINCT ON (code) code, description AS title FROM (
          SELECT code, description, count(*) AS times FROM staged_lines WHERE description <> '' GROUP BY 1, 2
        ) described ORDER BY code, times DESC, title
      ), prices AS (
        SELECT DISTINCT ON (code) code, price FROM staged_lines WHERE price > 0 ORDER BY code, sold_at DESC, line DESC
      ), codes AS (
        SELECT code, min(sold_at) AT TIME ZONE '${FILE_ZONE}' AS since, code ~* $6::text AS is_service
        FROM staged_lines WHERE code <> '' GROUP BY code
      ), added AS (
        INSERT INTO ${schema}.products (merchant_id, category_id, sku, title, price, status, created_at, updated_at)
        SELECT $1::bigint, category.id, code, coalesce(title, code), coalesce(price, 0),
               CASE WHEN is_service THEN 'archived' ELSE 'active' END, since, since
        FROM codes LEFT JOIN titles USING (code) LEFT JOIN prices USING (code)
        JOIN ${schema}.categories category ON category.slug = CASE WHEN is_service THEN $5::text ELSE coalesce((
          SELECT slug FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS rule (slug, words, place)
          WHERE title ~* words ORDER BY place LIMIT 1
        ), $4::text) END
        ORDER BY code
        ON CONFLICT (merchant_id, sku) DO NOTHING
        RETURNING id
      )
      INSERT INTO ${schema}.stock (product_id) SELECT id FROM added`,
    // Every customer a line names, in the country of the latest.
    insertCustomers: `
      INSERT INTO ${schema}.customers (merchant_id, external_id, name, country, created_at)
      SELECT $1::bigint, customer, 'Customer ' || customer, (array_agg(country ORDER BY latest DESC, country))[1],
             min(earliest) AT TIME ZONE '${FILE_ZONE}' AS since
      FROM (
        SELECT customer, country, min(sold_at) AS earliest, max(sold_at) AS latest
        FROM staged_lines WHERE customer IS NOT NULL GROUP BY customer, country
      ) places
      GROUP BY customer ORDER BY since, customer
      ON CONFLICT (merchant_id, external_id) DO NOTHING`,
  }
}

function orderStatements(schema: string) {
  return {
    // orders_merchant_id_external_id_key
    findOrders: `
      UPDATE staged_orders s SET id = o.id, existed = true
      FROM ${schema}.orders o WHERE o.merchant_id = $1::bigint AND o.external_id = s.invoice`,
    insertOrders: `
      WITH added AS (
        INSERT INTO ${schema}.orders (merchant_id, customer_id, kind, external_id, status, country, total, placed_at, updated_at)
        SELECT $1::bigint, c.id, CASE WHEN is_return THEN 'return' ELSE 'order' END, s.invoice, 'completed', s.country, s.total,
               s.placed_at, s.placed_at
        FROM staged_orders s
        LEFT JOIN ${schema}.customers c ON c.merchant_id = $1::bigint AND c.external_id = s.customer
        WHERE s.id IS NULL ORDER BY s.first_line
        RETURNING id, external_id
      )
      UPDATE staged_orders s SET id = added.id FROM added WHERE added.external_id = s.invoice`,
    // $2 and $3: the part of the file to insert, so that progress can be told.
    insertLines: `
      INSERT INTO ${schema}.order_lines
        (order_id, ordinal, merchant_id, product_id, kind, sku, title, quantity, unit_price, sold_at)
      SELECT o.id, s.ordinal, $1::bigint, p.id, s.kind, s.code, coalesce(nullif(s.description, ''), p.title, ''), s.quantity,
             s.price, s.sold_at AT TIME ZONE '${FILE_ZONE}'
      FROM staged_lines s
      JOIN staged_orders o USING (invoice)
      LEFT JOIN ${schema}.products p ON p.merchant_id = $1::bigint AND p.sku = s.code
      WHERE s.line > $2::int AND s.line <= $3::int
        AND NOT (o.existed AND EXISTS (
          SELECT FROM ${schema}.order_lines l WHERE l.order_id = o.id AND l.ordinal = s.ordinal))
      ORDER BY s.line`,
    // order_lines_pkey. Orders that were there before may have got the lines they lacked, and with them a customer.
    completeOrders: `
      UPDATE ${schema}.orders o SET
        total = sums.total, placed_at = sums.placed_at, customer_id = coalesce(o.customer_id, c.id), updated_at = now()
      FROM staged_orders s
      JOIN LATERAL (
        SELECT sum(l.amount) AS total, min(l.sold_at) AS placed_at
        FROM ${schema}.order_lines l WHERE l.order_id = s.id
      ) sums ON true
      LEFT JOIN ${schema}.customers c ON c.merchant_id = $1::bigint AND c.external_id = s.customer
      WHERE o.id = s.id AND s.existed
        AND (o.total, o.placed_at, o.customer_id)
          IS DISTINCT FROM (sums.total, sums.placed_at, coalesce(o.customer_id, c.id))`,
  }
}

function reportStatements(schema: string) {
  return {
    duplicates: `
      SELECT s.line FROM staged_lines s JOIN (
        SELECT invoice, code, description, quantity, sold_at, price, customer, country, min(line) AS line
        FROM staged_lines GROUP BY 1, 2, 3, 4, 5, 6, 7, 8 HAVING count(*) > 1
      ) first ON s.line > first.line AND s.customer IS NOT DISTINCT FROM first.customer
        AND (s.invoice, s.code, s.description, s.quantity, s.sold_at, s.price, s.country)
          = (first.invoice, first.code, first.description, first.quantity, first.sold_at, first.price, first.country)
      ORDER BY s.line`,
    // order_lines_pkey
    changed: `
      SELECT s.line FROM staged_lines s
      JOIN staged_orders o USING (invoice)
      JOIN ${schema}.order_lines l ON l.order_id = o.id AND l.ordinal = s.ordinal
      WHERE o.existed AND (l.sku, l.quantity, l.unit_price, l.sold_at)
        IS DISTINCT FROM (s.code, s.quantity, s.price, s.sold_at AT TIME ZONE '${FILE_ZONE}')
      ORDER BY s.line`,
    vacuum: `VACUUM ANALYZE ${['products', 'stock', 'customers', 'orders', 'order_lines', 'sales_days'].map((table) => `${schema}.${table}`).join(', ')}`,
    insertImport: `
      INSERT INTO ${schema}.imports (source, lines, added, report) VALUES ($1, $2, $3, $4::text::jsonb)`,
  }
}

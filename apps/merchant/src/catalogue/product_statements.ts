import { statement } from '@tailwater/postgres'

/** The statements of single products. */
export type ProductStatements = ReturnType<typeof productStatements>

/** @param schema quoted and ready to interpolate */
export function productStatements(schema: string) {
  const scoped = 'id = $1 AND ($2::bigint IS NULL OR merchant_id = $2)'
  const detail = (
    condition: string,
  ) => `SELECT p.id::float8 AS id, p.sku, p.title, p.description, p.price::float8 AS price, m.currency, p.status,
              p.category_id::float8 AS "categoryId", c.name AS category, p.merchant_id::float8 AS "merchantId",
              m.name AS merchant, coalesce(s.on_hand - s.reserved, 0) AS available,
              images.list -> 0 ->> 'url' AS image, images.list AS images, p.version,
              p.created_at AS "createdAt", p.updated_at AS "updatedAt"
       FROM ${schema}.products p
       JOIN ${schema}.categories c ON c.id = p.category_id
       JOIN ${schema}.merchants m ON m.id = p.merchant_id
       LEFT JOIN ${schema}.stock s ON s.product_id = p.id
       CROSS JOIN LATERAL (
         SELECT coalesce(json_agg(json_build_object('position', i.position, 'url', i.url, 'alt', i.alt)
                                  ORDER BY i.position), '[]') AS list
         FROM ${schema}.product_images i WHERE i.product_id = p.id
       ) images
       WHERE ${condition}`
  return {
    // products_pkey and the keys of what is joined
    one: statement('merchant_product_one', detail('p.id = $1')),
    many: statement('merchant_product_many', detail('p.id = ANY($1::bigint[])')),
    // categories_pkey
    places: statement(
      'merchant_product_places',
      `SELECT p.merchant_id::float8 AS "merchantId", array_agg(a.id::text) || array_agg(a.slug) AS categories
       FROM ${schema}.products p JOIN ${schema}.categories c ON c.id = p.category_id
       JOIN ${schema}.categories a ON a.id = ANY (c.path) WHERE p.id = $1 GROUP BY p.merchant_id`,
    ),
    insert: statement(
      'merchant_product_insert',
      `WITH product AS (
         INSERT INTO ${schema}.products (merchant_id, category_id, sku, title, description, price, status)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id
       ), stock AS (
         INSERT INTO ${schema}.stock (product_id, on_hand) SELECT id, $8 FROM product
       )
       SELECT id::float8 AS id FROM product`,
    ),
    // products_pkey
    lock: statement(
      'merchant_product_lock',
      `SELECT version, merchant_id::float8 AS "merchantId" FROM ${schema}.products WHERE ${scoped} FOR NO KEY UPDATE`,
    ),
    update: statement(
      'merchant_product_update',
      `UPDATE ${schema}.products SET
         sku = coalesce($2, sku), title = coalesce($3, title), description = coalesce($4, description),
         price = coalesce($5, price), category_id = coalesce($6, category_id), status = coalesce($7, status),
         version = version + 1, updated_at = now()
       WHERE id = $1`,
    ),
    setOnHand: statement(
      'merchant_product_set_on_hand',
      `INSERT INTO ${schema}.stock AS s (product_id, on_hand) VALUES ($1, $2)
       ON CONFLICT (product_id) DO UPDATE SET on_hand = EXCLUDED.on_hand, updated_at = now()`,
    ),
    deleteImages: statement(
      'merchant_product_delete_images',
      `DELETE FROM ${schema}.product_images WHERE product_id = $1`,
    ),
    insertImages: statement(
      'merchant_product_insert_images',
      `INSERT INTO ${schema}.product_images (product_id, position, url, alt)
       SELECT $1, image.position - 1, image.url, image.alt
       FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS image (url, alt, position)`,
    ),
    // stock_pkey
    lockStock: statement(
      'merchant_product_lock_stock',
      `SELECT product_id::float8 AS "productId" FROM ${schema}.stock WHERE product_id = $1 FOR UPDATE`,
    ),
    // order_lines_by_product, listings_by_product
    isPointedAt: statement(
      'merchant_product_is_pointed_at',
      `SELECT EXISTS (SELECT FROM ${schema}.order_lines WHERE product_id = $1)
         OR EXISTS (SELECT FROM ${schema}.listings WHERE product_id = $1) AS "isPointedAt"`,
    ),
    archive: statement(
      'merchant_product_archive',
      `UPDATE ${schema}.products SET status = 'archived', version = version + 1, updated_at = now() WHERE id = $1`,
    ),
    delete: statement('merchant_product_delete', `DELETE FROM ${schema}.products WHERE id = $1`),
  }
}

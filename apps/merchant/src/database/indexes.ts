/** An index that only makes reads fast. */
export interface IndexDefinition {
  /** Also says what it is; a changed definition gets a new name, so that both can stand while versions change. */
  readonly name: string
  readonly table: string
  /** What follows `ON table`. `gin_trgm_ops` is qualified with the schema of pg_trgm when the index is made. */
  readonly on: string
  /** Which question it answers; kept as the index's comment in the database. */
  readonly why: string
}

/*
 * Sorted lists compare (value, id) as one row, so an ascending index on both serves either direction. The catalogue's
 * indexes hold active products alone, which is all that strangers see: smaller, and never touched by a draft.
 */
const catalogueIndexes: readonly IndexDefinition[] = [
  {
    name: 'products_active_by_created',
    table: 'products',
    on: `(created_at, id) WHERE status = 'active'`,
    why: 'The newest products, which is how the list opens.',
  },
  {
    name: 'products_active_by_price',
    table: 'products',
    on: `(price, id) WHERE status = 'active'`,
    why: 'Products by price, and those within a range of prices.',
  },
  {
    name: 'products_active_by_title',
    table: 'products',
    on: `(title, id) WHERE status = 'active'`,
    why: 'Products by title.',
  },
  {
    name: 'products_active_by_category_created',
    table: 'products',
    on: `(category_id, created_at, id) WHERE status = 'active'`,
    why: 'The newest products of a category; the list walks it once for each category of a subtree.',
  },
  {
    name: 'products_active_by_category_price',
    table: 'products',
    on: `(category_id, price, id) WHERE status = 'active'`,
    why: "A category's products by price, and those within a range of prices.",
  },
  {
    name: 'products_active_by_category_title',
    table: 'products',
    on: `(category_id, title, id) WHERE status = 'active'`,
    why: "A category's products by title.",
  },
  {
    name: 'products_by_merchant_created',
    table: 'products',
    on: '(merchant_id, status, created_at, id)',
    why: "A merchant's own products in any status.",
  },
  {
    name: 'products_inactive_by_created',
    table: 'products',
    on: `(status, created_at, id) WHERE status <> 'active'`,
    why: 'Drafts and archived products, which are few beside the active ones.',
  },
  {
    name: 'products_by_words',
    table: 'products',
    on: 'USING gin (search)',
    why: 'Full-text search in titles and descriptions.',
  },
  {
    name: 'products_by_title_part',
    table: 'products',
    on: 'USING gin (title gin_trgm_ops)',
    why: 'Parts of titles (ILIKE with a wildcard at both ends), which full-text search does not find.',
  },
  {
    name: 'product_images_first',
    table: 'product_images',
    on: '(product_id, position) INCLUDE (url)',
    why: "The list's first images without a visit to the table.",
  },
  {
    name: 'categories_by_path',
    table: 'categories',
    on: 'USING gin (path)',
    why: 'All categories below one.',
  },
  {
    name: 'categories_by_parent',
    table: 'categories',
    on: '(parent_id, id)',
    why: "A category's children, and the check that a deleted one has none.",
  },
  {
    name: 'listings_by_product',
    table: 'listings',
    on: '(product_id, id)',
    why: 'Where a product is listed; also followed when a product is deleted.',
  },
  {
    name: 'listings_by_marketplace_status',
    table: 'listings',
    on: '(marketplace_id, status, id)',
    why: "A marketplace's listings in one status.",
  },
]

const orderIndexes: readonly IndexDefinition[] = [
  {
    name: 'orders_by_merchant_placed_sold',
    table: 'orders',
    on: '(merchant_id, placed_at, id) INCLUDE (customer_id, kind, status, total)',
    why: "A merchant's newest orders; and who bought for how much in a period, without a visit to the table.",
  },
  {
    name: 'orders_by_merchant_status_placed',
    table: 'orders',
    on: '(merchant_id, status, placed_at, id)',
    why: "A merchant's orders in one status: the open ones are few among all.",
  },
  {
    name: 'orders_by_placed',
    table: 'orders',
    on: '(placed_at, id)',
    why: 'The newest orders of all merchants, for administrators.',
  },
  {
    name: 'orders_by_status_placed',
    table: 'orders',
    on: '(status, placed_at, id) INCLUDE (kind)',
    why: 'Orders in one status over all merchants, read and counted without a visit to the table.',
  },
  {
    name: 'orders_by_kind_placed',
    table: 'orders',
    on: '(kind, placed_at, id)',
    why: 'Returns over all merchants, and how many there are.',
  },
  {
    name: 'orders_by_customer_placed',
    table: 'orders',
    on: '(customer_id, placed_at, id) WHERE customer_id IS NOT NULL',
    why: "A customer's orders; sales over the counter have no customer and stay out.",
  },
  {
    name: 'orders_by_marketplace_placed',
    table: 'orders',
    on: '(marketplace_id, placed_at, id) WHERE marketplace_id IS NOT NULL',
    why: 'Orders that came through a marketplace, a small part of all.',
  },
  {
    name: 'orders_by_returned_order',
    table: 'orders',
    on: '(returns_order_id) WHERE returns_order_id IS NOT NULL',
    why: 'What was taken back of an order, before more is.',
  },
  {
    name: 'order_lines_by_product',
    table: 'order_lines',
    on: '(product_id, sold_at) INCLUDE (order_id)',
    why: 'Whether a product was ordered, ever or in a period, without a visit to the table.',
  },
  {
    name: 'order_lines_by_merchant_sold',
    table: 'order_lines',
    on: '(merchant_id, sold_at) INCLUDE (order_id, product_id, kind, quantity, amount)',
    why: 'What a merchant sold on a day, product by product, without a visit to the table.',
  },
  {
    name: 'payments_by_order',
    table: 'payments',
    on: '(order_id, id)',
    why: "An order's payment.",
  },
  {
    name: 'idempotency_keys_open',
    table: 'idempotency_keys',
    on: '(created_at) WHERE status IS NULL',
    why: 'Checkouts that a crash left behind: nearly empty, however many keys are kept.',
  },
  {
    name: 'idempotency_keys_settled',
    table: 'idempotency_keys',
    on: '(created_at) WHERE status IS NOT NULL',
    why: 'Keys old enough to be forgotten.',
  },
]

const customerIndexes: readonly IndexDefinition[] = [
  {
    name: 'customers_by_merchant_created',
    table: 'customers',
    on: '(merchant_id, created_at, id)',
    why: "A merchant's newest customers.",
  },
  {
    name: 'customers_by_created',
    table: 'customers',
    on: '(created_at, id)',
    why: 'The newest customers of all merchants, for administrators.',
  },
  {
    name: 'customers_by_email',
    table: 'customers',
    on: '(lower(email), id) WHERE email IS NOT NULL',
    why: 'A customer by e-mail address, however it was written.',
  },
  {
    name: 'customers_by_country_created',
    table: 'customers',
    on: '(country, created_at, id)',
    why: 'Customers of one country.',
  },
  {
    name: 'customers_by_name_part',
    table: 'customers',
    on: 'USING gin (name gin_trgm_ops)',
    why: 'Customers by a part of their name.',
  },
  {
    name: 'api_keys_by_merchant',
    table: 'api_keys',
    on: '(merchant_id, id)',
    why: "A merchant's API keys.",
  },
]

const inboxIndexes: readonly IndexDefinition[] = [
  {
    name: 'notifications_by_merchant',
    table: 'notifications',
    on: '(merchant_id, id)',
    why: "A merchant's newest notifications.",
  },
  {
    name: 'notifications_unread_by_merchant',
    table: 'notifications',
    on: '(merchant_id, id) WHERE read_at IS NULL',
    why: 'Those that a merchant has not read: few beside all that it ever got.',
  },
  {
    name: 'audit_entries_by_merchant',
    table: 'audit_entries',
    on: '(merchant_id, happened_at, id)',
    why: 'What was done in the name of a merchant, in its order.',
  },
]

/** Every index beside the keys. */
export const indexes: readonly IndexDefinition[] = [
  ...catalogueIndexes,
  ...orderIndexes,
  ...customerIndexes,
  ...inboxIndexes,
]

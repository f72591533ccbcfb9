import { createHash } from 'node:crypto'
import type { CopyValue } from '../copy_text.ts'
import { isoTime, money, type TableRows } from '../table_rows.ts'
import type { Dataset } from './dataset.ts'
import { orderTables, reservedPieces } from './order_tables.ts'

const DAY = 86_400_000

/**
 * The tables of a dataset, in an order that foreign keys allow.
 *
 * @param apiKey the key that a merchant's first API key is to be; only its SHA-256 is stored
 */
export function datasetTables(dataset: Dataset, apiKey: (slug: string) => string): TableRows[] {
  return [...sellerTables(dataset, apiKey), ...catalogueTables(dataset), ...orderTables(dataset)]
}

function sellerTables(
  { merchants, categories, marketplaces, start }: Dataset,
  apiKey: (slug: string) => string,
): TableRows[] {
  const since = isoTime(start - 365 * DAY)
  return [
    table('merchants', ['id', 'slug', 'name', 'created_at'], merchants, ({ id, slug, name }) => [
      id,
      slug,
      name,
      since,
    ]),
    table('api_keys', ['id', 'merchant_id', 'name', 'hash', 'created_at'], merchants, ({ id, slug }) => [
      id,
      id,
      'first',
      `\\x${createHash('sha256').update(apiKey(slug)).digest('hex')}`,
      since,
    ]),
    table(
      'categories',
      ['id', 'parent_id', 'slug', 'name', 'path'],
      categories,
      ({ id, parentId, slug, name, path }) => [id, parentId, slug, name, `{${path.join(',')}}`],
    ),
    table('marketplaces', ['id', 'slug', 'name'], marketplaces, ({ id, slug, name }) => [id, slug, name]),
  ]
}

function catalogueTables(dataset: Dataset): TableRows[] {
  const { products, end, start } = dataset
  const reserved = reservedPieces(dataset)
  const columns = [
    'id',
    'merchant_id',
    'category_id',
    'sku',
    'title',
    'description',
    'price',
    'status',
    'created_at',
    'updated_at',
  ]
  return [
    {
      table: 'products',
      columns,
      count: products.length,
      *rows() {
        const random = dataset.random.fork('product rows')
        for (const [at, product] of products.entries()) {
          const created = start - product.age * DAY - random.integer(DAY)
          const updated = created + random.integer(1_000_000) * ((end - created) / 1_000_000)
          const { categoryId, sku, title, description, price, status } = product
          yield [
            at + 1,
            product.merchant + 1,
            categoryId,
            sku,
            title,
            description,
            money(price),
            status,
            isoTime(created),
            isoTime(updated),
          ]
        }
      },
    },
    imageTable(dataset),
    table('stock', ['product_id', 'on_hand', 'reserved', 'updated_at'], products, ({ onHand }, at) => [
      at + 1,
      onHand + reserved[at]!,
      reserved[at]!,
      isoTime(end),
    ]),
    listingTable(dataset),
  ]
}

function imageTable({ products }: Dataset): TableRows {
  return {
    table: 'product_images',
    columns: ['id', 'product_id', 'position', 'url', 'alt'],
    count: products.reduce((sum, product) => sum + product.images, 0),
    *rows() {
      let id = 0
      for (const [at, { images, sku, title }] of products.entries())
        for (let position = 0; position < images; position++)
          yield [++id, at + 1, position, `/images/products/${sku}-${position + 1}.webp`, title]
    },
  }
}

function listingTable({ products, end }: Dataset): TableRows {
  return {
    table: 'listings',
    columns: ['id', 'marketplace_id', 'product_id', 'external_id', 'status', 'price', 'updated_at'],
    count: products.reduce((sum, product) => sum + product.listedOn.length, 0),
    *rows() {
      let id = 0
      // Marketplaces take a fee, so the price there is a tenth higher.
      for (const [at, { listedOn, price }] of products.entries())
        for (const place of listedOn)
          yield [++id, place + 1, at + 1, `L${id}`, 'live', money(Math.round(price * 1.1)), isoTime(end)]
    },
  }
}

function table<T>(
  name: string,
  columns: readonly string[],
  items: readonly T[],
  row: (item: T, at: number) => readonly CopyValue[],
): TableRows {
  return { table: name, columns, count: items.length, rows: () => items.map(row) }
}

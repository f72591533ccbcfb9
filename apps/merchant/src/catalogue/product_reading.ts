import type { Database } from '@tailwater/postgres'
import type { ProductSource } from '../caches/shop_caches.ts'
import type { Product } from './product.ts'
import type { ProductStatements } from './product_statements.ts'

/** Reads products from the primary: what is read is kept, and a replica may be behind. */
export function readProducts(database: Database, statements: ProductStatements): ProductSource {
  return {
    async one(id) {
      const { rows } = await database.query<Product>(statements.one, [id])
      return rows[0]
    },
    async many(ids) {
      const { rows } = await database.query<Product>(statements.many, [ids])
      return new Map(rows.map((product) => [product.id, product]))
    },
  }
}

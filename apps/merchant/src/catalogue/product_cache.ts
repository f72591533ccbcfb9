import type { Product } from './product.ts'

/** What the catalogue asks of a cache in front of its single products. */
export interface ProductCache {
  /** The cached product, or what `load` finds; undefined when there is none. */
  get(id: number, load: () => Promise<Product | undefined>): Promise<Product | undefined>
  /** Forgets a product after it has changed. */
  invalidate(id: number): Promise<void> | void
}

import type { Product } from './product.ts'

/** How a cache is opened. */
export interface EngineOptions {
  /** Without it the cache is in memory alone. */
  redisUrl: string | undefined
  /** Entries that there is room for in memory. */
  nearEntries: number
}

/** A cache library, as rounds use it. */
export interface Engine {
  getOrSet(key: string, load: () => Promise<Product>): Promise<Product>
  /** In the library's best way, from both tiers; loads nothing. */
  getMany(keys: readonly string[]): Promise<(Product | undefined)[]>
  close(): Promise<void>
}

/** A library at its best documented settings. */
export interface EngineKind {
  name: string
  /** What a result file says of how it is opened: in memory alone, and with Redis. */
  settings: { memory: string; redis: string }
  /** What it is imported from is imported here: each process has one library. */
  open(options: EngineOptions): Promise<Engine>
}

/** Milliseconds that every value lives: longer than any row takes. */
export const TTL = 3_600_000

import { backgroundError, createService, type Service, toError } from '@tailwater/core'
import type { Database } from '@tailwater/postgres'
import type { ProductPages } from '../catalogue/product_pages.ts'
import type { ProductCache } from './shop_caches.ts'
import type { WarmStatements } from './warm_statements.ts'

/** How far a warm-up has come. */
export interface WarmingProgress {
  what: 'products' | 'pages'
  done: number
  of: number
}

/** What a warm-up needs. */
export interface WarmUpParts {
  database: Database
  statements: WarmStatements
  products: ProductCache
  pages: ProductPages
  /** How many products are brought in: those that sold best lately. */
  hotProducts: number
  onProgress?: ((progress: WarmingProgress) => void) | undefined
}

/** Of one step, after each of which progress is told and a stop is heeded. */
const STEP = 500
/** Categories, those nearest the root first, of which the first page is brought in. */
const CATEGORIES = 100

/**
 * Brings what most callers ask for into the caches, in the background of each start: nobody waits for it, and a stop ends it. What
 * goes wrong is published: the caches fill with the first requests then.
 */
export function createWarmUp(parts: WarmUpParts): Service {
  let warming = new AbortController()
  let work: Promise<void> = Promise.resolve()
  return createService('warm-up', {
    start() {
      warming = new AbortController()
      work = warmUp(parts, warming.signal).catch((error: unknown) => {
        if (!warming.signal.aborted && backgroundError.hasSubscribers)
          backgroundError.publish({ source: 'merchant warm-up', error: toError(error) })
      })
    },
    async stop() {
      warming.abort()
      await work
    },
  })
}

/** Brings in the best sellers, then the first pages of the product list and of categories. */
export async function warmUp(parts: WarmUpParts, signal: AbortSignal): Promise<void> {
  const { database, statements, products, pages, onProgress } = parts
  const hot = await database.query<{ id: number }>(statements.hotProducts, [parts.hotProducts])
  const ids = hot.rows.map(({ id }) => id)
  for (let at = 0; at < ids.length; at += STEP) {
    signal.throwIfAborted()
    await products.warm(ids.slice(at, at + STEP), signal)
    onProgress?.({ what: 'products', done: Math.min(at + STEP, ids.length), of: ids.length })
  }
  const { rows } = await database.query<{ id: string }>(statements.hotCategories, [CATEGORIES])
  const lists = [{}, ...rows.map(({ id }) => ({ category: id }))]
  for (const [at, list] of lists.entries()) {
    signal.throwIfAborted()
    // As a caller has it who asks for nothing in particular.
    await pages({ limit: 20, total: false, ...list }, null)
    onProgress?.({ what: 'pages', done: at + 1, of: lists.length })
  }
}

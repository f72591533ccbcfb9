import type { JobRequest, Jobs, Kind } from '@tailwater/jobs'
import type { Database } from '@tailwater/postgres'
import type { ProductPages } from '../catalogue/product_pages.ts'
import type { ProductCache } from './shop_caches.ts'
import type { WarmStatements } from './warm_statements.ts'

/** What warming by jobs is made of. */
export interface WarmJobParts {
  database: Database
  statements: WarmStatements
  products: ProductCache
  pages: ProductPages
  /** How many products are brought in: those that sold best lately. */
  hotProducts: number
}

/** Products, and categories, of one job. */
const PRODUCTS = 500
const CATEGORIES = 25
const MOST_CATEGORIES = 100

/**
 * The jobs that keep warm what most callers ask for: best sellers first, then what sells less, then first pages.
 *
 * One at a time in the whole queue, and each of them short: a process that takes requests has time for them in between. In a shop of several processes without a shared
 * store they warm the one that runs them; each process warms itself when it starts (`warm_up.ts`).
 */
export function defineWarmJobs(jobs: Jobs, parts: WarmJobParts): { warmUp: Kind<null> } {
  const products = jobs.define<{ ids: number[] }>({
    kind: 'warm-products',
    queue: 'warm-up',
    run: async ({ payload: { ids }, signal }) => {
      await parts.products.warm(ids, signal)
      return { products: ids.length }
    },
  })
  const pages = jobs.define<{ categories: (string | null)[] }>({
    kind: 'warm-pages',
    queue: 'warm-up',
    priority: 'low',
    async run({ payload: { categories }, signal, progress }) {
      for (const [at, category] of categories.entries()) {
        signal.throwIfAborted()
        await parts.pages({ limit: 20, total: false, ...(category !== null && { category }) }, null)
        progress(Math.round((100 * (at + 1)) / categories.length))
      }
      return { pages: categories.length }
    },
  })
  const warmUp = jobs.define<null>({
    kind: 'warm-up',
    queue: 'warm-up',
    priority: 'critical',
    async run({ signal }) {
      const requests = await plan(parts, { products, pages }, signal)
      await jobs.enqueueMany(requests)
      return { jobs: requests.length }
    },
  })
  return { warmUp }
}

interface Warmers {
  products: Kind<{ ids: number[] }>
  pages: Kind<{ categories: (string | null)[] }>
}

async function plan(
  { database, statements, hotProducts }: WarmJobParts,
  { products, pages }: Warmers,
  signal: AbortSignal,
) {
  const hot = await database.query<{ id: number }>(statements.hotProducts, [hotProducts], { signal })
  const categories = await database.query<{ id: string }>(statements.hotCategories, [MOST_CATEGORIES], { signal })
  const ids = hot.rows.map(({ id }) => id)
  const requests: JobRequest[] = []
  for (let at = 0; at < ids.length; at += PRODUCTS)
    requests.push(products.job({ ids: ids.slice(at, at + PRODUCTS) }, { priority: at === 0 ? 'high' : 'normal' }))
  const lists = [null, ...categories.rows.map(({ id }) => id)]
  for (let at = 0; at < lists.length; at += CATEGORIES)
    requests.push(pages.job({ categories: lists.slice(at, at + CATEGORIES) }))
  return requests
}

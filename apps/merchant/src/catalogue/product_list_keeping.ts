import type { Reply, Totals } from '@tailwater/http'
import type { Answers, Loading } from '../caches/answers.ts'
import type { ShopCaches } from '../caches/shop_caches.ts'
import { shopTags } from '../caches/shop_tags.ts'
import type { ProductFilter, ProductSort } from './product_list.ts'

/** Says nothing of what is not kept. */
export const UNKEPT: Loading = { addTags() {} }

/** Products of one page that are named one by one; a page with more is forgotten with any product. */
const NAMED = 24

/** Where pages of a list are kept; undefined for drafts, which are their merchant's alone. */
export function answersFor(caches: ShopCaches, filter: ProductFilter): Answers<Reply> | undefined {
  if (filter.status === 'draft') return undefined
  const isSearch = (filter.text ?? filter.minPrice ?? filter.maxPrice) !== undefined
  return isSearch ? caches.searches : caches.lists
}

/** What a page depends on. Open lists are the same for every caller, so the caller is not among it. */
export function questionOf(
  { category, merchantId, minPrice, maxPrice, text, status }: ProductFilter,
  sort: ProductSort,
  fields: string,
  { limit, cursor, offset, total }: { limit: number; cursor?: string; offset?: number; total: boolean },
): string {
  const filter = [status, category, merchantId, minPrice, maxPrice, text]
  return JSON.stringify([...filter, sort, limit, total, offset, cursor, fields])
}

/** What says that products have come into a list, gone or moved in it; the narrowest that there is. */
export function placeTags({ category, merchantId }: ProductFilter): string[] {
  if (category !== undefined) return [shopTags.category(category)]
  return [merchantId === undefined ? shopTags.catalogue : shopTags.catalogueOf(merchantId)]
}

/** What says that the products shown have changed. Rows without their ids, or many, depend on every product. */
export function shownTags(rows: readonly object[]): string[] {
  if (rows.length > NAMED) return [shopTags.anyProduct]
  const ids = rows.map((row) => (row as { id?: number }).id)
  return ids.every((id) => id !== undefined) ? ids.map((id) => shopTags.product(Number(id))) : [shopTags.anyProduct]
}

/** Counts that are forgotten when products come or go; without caches those of all lists, good for some seconds. */
export function totalsOf(
  { caches, totals }: { caches: ShopCaches; totals: Totals },
  places: readonly string[],
): Totals {
  const kept = caches.totals
  if (!kept) return totals
  return {
    count: (key, load) =>
      kept.answer(key, (loading) => {
        loading.addTags(...places)
        return load()
      }),
  }
}

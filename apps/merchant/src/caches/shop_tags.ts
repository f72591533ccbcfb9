/** The names by which kept answers are forgotten. */
export const shopTags = {
  /** One product, in the pages that show it. */
  product: (id: number) => `product:${id}`,
  /** Any product at all, for pages that show too many to name each. */
  anyProduct: 'products',
  /** Which products are in lists of everything, and in which order. */
  catalogue: 'catalogue',
  /** Likewise in lists of one merchant. */
  catalogueOf: (merchantId: number) => `catalogue:${merchantId}`,
  /** Likewise in lists of a category and all below it. @param category its id, or its slug, as lists are asked for by either */
  category: (category: string) => `category:${category}`,
  /** The categories themselves. */
  categories: 'categories',
  /** Figures that orders and returns change. @param scope null for those of all merchants together */
  sales: (scope: number | null) => (scope === null ? 'sales' : `sales:${scope}`),
  customers: (scope: number | null) => (scope === null ? 'customers' : `customers:${scope}`),
  listings: (scope: number | null) => (scope === null ? 'listings' : `listings:${scope}`),
}

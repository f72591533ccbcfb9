/** What is cached: a product of about 1 kB of JSON. */
export interface Product {
  id: number
  name: string
  sku: string
  price: number
  stock: number
  tags: string[]
  category: { id: number; name: string }
  description: string
  updatedAt: string
}

/** Length of the description that brings the JSON to a kilobyte. */
const DESCRIPTION = 'A cup of stoneware, glazed by hand, that keeps coffee warm for longer than most. '.repeat(10)

/** The product with that number, always the same. */
export function productOf(id: number): Product {
  return {
    id,
    name: `Product number ${id}`,
    sku: `SKU-${id}`,
    price: 9.99 + (id % 100),
    stock: id % 50,
    tags: ['kitchen', 'gift'],
    category: { id: id % 37, name: `Category ${id % 37}` },
    description: DESCRIPTION,
    updatedAt: '2026-11-22T10:00:00.000Z',
  }
}

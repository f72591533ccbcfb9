// The naive version of the product list: what many first versions look like. Express, one pool of ten, and 42 statements a
// request: the page with SELECT * and OFFSET, the count of all pages, and for each of its 20 rows the category and the stock.
import type { AddressInfo } from 'node:net'
import express, { type Request, type Response } from 'express'
import pg from 'pg'

interface ProductRow {
  id: string
  category_id: string
  sku: string
  title: string
  price: string
  status: string
  created_at: Date
}

const PAGE_SIZE = 20
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max: 10 })

async function listProducts(request: Request, response: Response): Promise<void> {
  const { category, page = '1' } = request.query as { category: string; page?: string }
  const offset = (Number(page) - 1) * PAGE_SIZE
  const products = await pool.query<ProductRow>(
    `SELECT * FROM naive.products WHERE category_id = $1 AND status = 'active'
     ORDER BY created_at DESC, id DESC LIMIT ${PAGE_SIZE} OFFSET $2`,
    [category, offset],
  )
  const count = await pool.query<{ count: string }>(
    `SELECT count(*) FROM naive.products WHERE category_id = $1 AND status = 'active'`,
    [category],
  )
  const data = []
  for (const product of products.rows) data.push(await present(product))
  response.json({ data, page: Number(page), total: Number(count.rows[0]!.count) })
}

async function present(product: ProductRow): Promise<object> {
  const categories = await pool.query<{ name: string }>('SELECT * FROM naive.categories WHERE id = $1', [
    product.category_id,
  ])
  const stock = await pool.query<{ on_hand: number; reserved: number }>(
    'SELECT * FROM naive.stock WHERE product_id = $1',
    [product.id],
  )
  const { on_hand, reserved } = stock.rows[0]!
  return {
    id: Number(product.id),
    sku: product.sku,
    title: product.title,
    price: Number(product.price),
    status: product.status,
    categoryId: Number(product.category_id),
    category: categories.rows[0]!.name,
    available: on_hand - reserved,
    createdAt: product.created_at,
  }
}

const app = express()
app.get('/api/products', listProducts)
const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})
process.on('SIGINT', () => {
  server.closeAllConnections()
  server.close(() => void pool.end().then(() => process.exit(0)))
})

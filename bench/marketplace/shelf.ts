import { createHash, randomBytes } from 'node:crypto'
import pg from 'pg'

/** A product that is on sale on every marketplace. */
export interface Shelved {
  id: number
  sku: string
  token: string
}

/** Products with stock, and keys of their merchants that are made for this run. */
export async function readShelf(url: string, count: number): Promise<Shelved[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ id: string; merchant: string }>(
      `SELECT p.id::text, p.merchant_id::text AS merchant
       FROM merchant.products p JOIN merchant.stock s ON s.product_id = p.id
       WHERE p.status = 'active' AND s.on_hand - s.reserved >= 5 AND p.price > 0 ORDER BY p.id LIMIT $1`,
      [count],
    )
    const tokens = new Map(rows.map(({ merchant }) => [merchant, `tw_live_${randomBytes(32).toString('base64url')}`]))
    for (const [merchant, token] of tokens)
      await client.query(`INSERT INTO merchant.api_keys (merchant_id, name, hash) VALUES ($1, 'bench', $2)`, [
        merchant,
        createHash('sha256').update(token).digest(),
      ])
    const run = randomBytes(4).toString('hex')
    return rows.map(({ id, merchant }) => ({ id: Number(id), sku: `${run}-${id}`, token: tokens.get(merchant)! }))
  } finally {
    await client.end()
  }
}

/** Listings of which a marketplace has yet to hear. */
async function waiting(shelf: readonly Shelved[], port: number, marketplaces: number): Promise<number> {
  let count = 0
  for (const token of new Set(shelf.map((one) => one.token)))
    for (let marketplace = 1; marketplace <= marketplaces; marketplace++) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/marketplaces/${marketplace}/sync`, {
        headers: { authorization: `Bearer ${token}` },
      })
      count += ((await answer.json()) as { listingsWaiting: number }).listingsWaiting
    }
  return count
}

/** Lists the products on every marketplace, and waits until all of these show them, and nothing is left to tell. */
export async function fillShelf(
  shelf: readonly Shelved[],
  port: number,
  shown: () => Promise<number>,
  marketplaces: number,
): Promise<void> {
  for (const { id, sku, token } of shelf)
    for (let marketplace = 1; marketplace <= marketplaces; marketplace++) {
      const answer = await fetch(`http://127.0.0.1:${port}/api/products/${id}/listings/${marketplace}`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ externalId: sku, price: 9.5 }),
      })
      if (answer.status !== 200) throw new Error(`a listing was answered with ${answer.status}: ${await answer.text()}`)
      await answer.body?.cancel()
    }
  const giveUp = performance.now() + 600_000
  while ((await shown()) < shelf.length * marketplaces || (await waiting(shelf, port, marketplaces)) > 0) {
    if (performance.now() > giveUp) throw new Error('the marketplaces do not show everything')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

import { randomUUID } from 'node:crypto'

/** What a shopper may buy, and as whom. */
export interface Shelf {
  customerId: number
  productIds: number[]
}

/** One checkout, known by its key however often it is sent. */
interface Attempt {
  key: string
  productId: number
}

/** Shoppers that check out without pause, and remember what they were promised. */
export interface Shoppers {
  /** Order ids by idempotency key: what was confirmed with 201. */
  readonly confirmed: ReadonlyMap<string, number>
  /** Answers that are neither 201 nor the end of the connection. */
  readonly surprises: readonly string[]
  /** Shops at `url` until the server is gone; `onConfirmed` hears how many were confirmed in all. Unanswered checkouts are repeated first next time. */
  shop(url: string, onConfirmed: (count: number) => void): Promise<void>
}

/** @param lanes checkouts at once */
export function createShoppers({ apiKey, shelf, lanes }: { apiKey: string; shelf: Shelf; lanes: number }): Shoppers {
  const confirmed = new Map<string, number>()
  const surprises: string[] = []
  const unanswered: Attempt[] = []
  let next = 0

  const fresh = (): Attempt => ({ key: randomUUID(), productId: shelf.productIds[next++ % shelf.productIds.length]! })

  async function send(url: string, { key, productId }: Attempt): Promise<Response> {
    return fetch(`${url}/api/orders`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({
        customerId: shelf.customerId,
        lines: [{ productId, quantity: 1 }],
        payment: { token: 'tok_visa' },
      }),
    })
  }

  async function lane(url: string, onConfirmed: (count: number) => void): Promise<void> {
    for (;;) {
      const attempt = unanswered.shift() ?? fresh()
      try {
        const response = await send(url, attempt)
        const body = (await response.json()) as { id: number; code?: string }
        if (response.status === 201) {
          confirmed.set(attempt.key, body.id)
          onConfirmed(confirmed.size)
        } else if (response.status >= 500 || response.status === 409 || response.status === 429)
          unanswered.push(attempt)
        else surprises.push(`${response.status} ${body.code}`)
      } catch {
        // The connection ended before the answer: whether the order was placed is what the repeat will tell.
        unanswered.push(attempt)
        return
      }
    }
  }

  return {
    confirmed,
    surprises,
    shop: async (url, onConfirmed) =>
      void (await Promise.all(Array.from({ length: lanes }, () => lane(url, onConfirmed)))),
  }
}

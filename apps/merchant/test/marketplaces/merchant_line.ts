import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { MessagingBackend } from '@tailwater/messaging'
import { ADMIN_TOKEN } from '../testing/merchant_app.ts'
import { type MarketplaceShop, type Slug, startMarketplaceShop } from './marketplace_shop.ts'

/** The whole line of the merchant, from an order to whoever hears of it, over one carrier of messages. */
export function merchantLine(
  name: string,
  carry: () => Promise<{ carrier?: MessagingBackend; close(): Promise<void> }>,
) {
  describe(`over ${name}`, () => {
    let shop: MarketplaceShop
    let carried: Awaited<ReturnType<typeof carry>>

    before(async () => {
      carried = await carry()
      shop = await startMarketplaceShop(carried.carrier)
      await shop.webhooks('here')
    })
    after(async () => {
      await shop.close()
      await carried.close()
    })

    const skuOf = () => randomUUID().slice(0, 13)
    const shown = (slug: Slug, sku: string, quantity: number) =>
      shop.until(async () => {
        const listing = await shop.listing(slug, sku)
        return listing?.quantity === quantity && listing
      })
    const onBoth = async (sku: string, quantity: number) => {
      for (const slug of ['stalls', 'quay'] as const) await shown(slug, sku, quantity)
    }
    const checkOut = (productId: number, quantity: number) =>
      shop.app.ask('POST', '/api/orders', {
        token: shop.merchant.token,
        headers: { 'idempotency-key': randomUUID() },
        body: { customerId: shop.customerId, lines: [{ productId, quantity }], payment: { token: 'tok_visa' } },
      })
    const own = {
      get token() {
        return shop.merchant.token
      },
    }
    const ordersOf = (slug: Slug) =>
      shop.app.rows<{ outcome: string; reason: string | null; orderIds: number[]; answered: boolean }>(
        `SELECT outcome, reason, order_ids::float8[] AS "orderIds", answered_at IS NOT NULL AS answered
       FROM $schema.marketplace_orders WHERE marketplace_id = $1 ORDER BY received_at, external_id`,
        [shop.ids[slug]],
      )
    const orderOf = async (slug: Slug, externalId: string) => {
      const [row] = await shop.app.rows<{ outcome: string; reason: string | null; orderIds: number[] }>(
        `SELECT outcome, reason, order_ids::float8[] AS "orderIds" FROM $schema.marketplace_orders
         WHERE marketplace_id = $1 AND external_id = $2`,
        [shop.ids[slug], externalId],
      )
      return row
    }

    it('a product that is listed appears on the marketplaces, and follows its price, title and end', async () => {
      const sku = skuOf()
      const id = await shop.list(sku, 7, 4.5)
      await onBoth(sku, 7)
      assert.equal((await shop.listing('quay', sku))!.price, 4.5)
      await shop.app.ask('PATCH', `/api/products/${id}`, { ...own, body: { title: 'A better mug' } })
      await shop.until(async () => (await shop.listing('quay', sku))?.title === 'A better mug')
      await shop.app.ask('PUT', `/api/products/${id}/listings/${shop.ids.stalls}`, {
        ...own,
        body: { externalId: sku, price: 5.25 },
      })
      await shop.until(async () => (await shop.listing('stalls', sku))?.price === 5.25)
      await shop.app.ask('DELETE', `/api/products/${id}`, own)
      await shop.until(async () => (await shop.listing('stalls', sku))?.isLive === false)
      await shop.until(async () => (await shop.listing('quay', sku))?.isLive === false)
    })

    it('an order placed here is paid, and stock follows on every marketplace, and back when it is cancelled', async () => {
      const sku = skuOf()
      const id = await shop.list(sku, 9)
      await onBoth(sku, 9)
      const placed = await checkOut(id, 4)
      assert.equal(placed.status, 201)
      await onBoth(sku, 5)
      await shop.until(async () => {
        const { body } = await shop.app.ask('GET', `/api/orders/${placed.body.id}`, own)
        return body.status === 'paid' && body.payment.status === 'captured'
      })
      await shop.app.ask('POST', `/api/orders/${placed.body.id}/cancel`, own)
      await onBoth(sku, 9)
      await shop.until(async () => {
        const { body } = await shop.app.ask('GET', '/api/notifications?topic=order-cancelled', own)
        return body.data.some(({ link }: { link: string }) => link === `/orders/${placed.body.id}`)
      })
    })

    it('an order placed on a marketplace becomes an order here, is confirmed there, and stock follows everywhere', async () => {
      const sku = skuOf()
      await shop.list(sku, 6)
      await onBoth(sku, 6)
      for (const [slug, left] of [
        ['stalls', 4],
        ['quay', 2],
      ] as const) {
        const bought = await shop.buy(slug, [{ sku, quantity: 2 }])
        await shop.until(async () => (await shop.order(slug, bought.id))?.status === 'confirmed')
        const { orderIds } = (await orderOf(slug, bought.id))!
        const { body } = await shop.app.ask('GET', `/api/orders/${orderIds[0]}`, own)
        assert.equal(body.status, 'paid')
        assert.equal(body.marketplaceId, shop.ids[slug])
        assert.equal(body.externalId, `${slug}/${bought.id}`)
        assert.deepEqual(body.payment, {
          provider: 'marketplace',
          reference: `${slug}/${bought.id}/${shop.merchant.id}`,
          status: 'captured',
          amount: 20,
        })
        await onBoth(sku, left)
      }
    })

    it('an order that cannot be filled is refused there with its reason, and the merchant is told', async () => {
      const sku = skuOf()
      const id = await shop.list(sku, 3)
      await onBoth(sku, 3)
      // The marketplaces do not hear of it in time.
      await shop.app.rows('UPDATE $schema.stock SET on_hand = 1 WHERE product_id = $1', [id])
      const bought = await shop.buy('quay', [{ sku, quantity: 2 }])
      const refused = await shop.until(async () => {
        const order = await shop.order('quay', bought.id)
        return order?.status === 'rejected' && order
      })
      assert.equal(refused.note, `only 1 of ${sku} left`)
      assert.equal((await orderOf('quay', bought.id))!.outcome, 'refused')
      const [stock] = await shop.app.rows('SELECT reserved FROM $schema.stock WHERE product_id = $1', [id])
      assert.deepEqual(stock, { reserved: 0 })
      await shop.until(async () => {
        const { body } = await shop.app.ask('GET', '/api/notifications?topic=order-refused', own)
        return body.data.some(({ title }: { title: string }) => title.includes(bought.id))
      })
    })

    it('a webhook that comes twice, or from somebody else, changes nothing', async () => {
      const path = '/api/marketplace-webhooks/stalls'
      const forged = await shop.app.ask('POST', path, {
        headers: { 'x-marketplace-timestamp': '1', 'x-marketplace-signature': 'ab' },
        body: { data: '{}' },
      })
      assert.equal(forged.status, 401)
      assert.equal(
        (await shop.app.ask('POST', '/api/marketplace-webhooks/nobody', { body: { data: '{}' } })).status,
        401,
      )
      const before = await ordersOf('stalls')
      await shop.ask()
      assert.deepEqual((await ordersOf('stalls')).length, before.length)
    })

    it('orders whose webhook was lost are found by asking', async () => {
      const sku = skuOf()
      await shop.list(sku, 50)
      await onBoth(sku, 50)
      await shop.webhooks('nowhere')
      for (let time = 0; time < 25; time++) await shop.buy('quay', [{ sku, quantity: 1 }])
      await shop.ask()
      await onBoth(sku, 25)
      await shop.webhooks('here')
    })

    it('a marketplace that was away hears of everything when it is back, and shows its lag meanwhile', async () => {
      const sku = skuOf()
      const id = await shop.list(sku, 8)
      await onBoth(sku, 8)
      await shop.behave({ errorRate: 1 })
      await checkOut(id, 3)
      const behind = await shop.until(async () => {
        const { body } = await shop.app.ask('GET', `/api/marketplaces/${shop.ids.stalls}/sync`, own)
        return body.error !== null && body
      })
      assert.equal(behind.isConnected, true)
      assert.equal(behind.listingsWaiting, 1)
      await shop.behave({ errorRate: 0 })
      await onBoth(sku, 5)
      const { body } = await shop.app.ask('GET', `/api/marketplaces/${shop.ids.stalls}/sync`, { token: ADMIN_TOKEN })
      assert.equal(body.listingsWaiting, 0)
    })

    it('a listing that gets another number there moves, and is not there under the old one', async () => {
      const sku = skuOf()
      const id = await shop.list(sku, 8)
      await onBoth(sku, 8)
      const body = { externalId: `${sku}-moved`, price: 10 }
      await shop.app.ask('PUT', `/api/products/${id}/listings/${shop.ids.quay}`, { ...own, body })
      await shown('quay', `${sku}-moved`, 8)
      await shop.until(async () => (await shop.listing('quay', sku))?.isLive === false)
    })

    it('a marketplace that has lost a listing is told of it anew', async () => {
      const sku = skuOf()
      await shop.list(sku, 8)
      await onBoth(sku, 8)
      await shop.app.rows(`UPDATE $schema.listings SET external_id = external_id || '-new' WHERE external_id = $1`, [
        sku,
      ])
      const again = await shop.app.ask('POST', `/api/marketplaces/${shop.ids.quay}/sync`, own)
      assert.equal(again.status, 202)
      assert.ok(again.body.listings >= 1)
      await shown('quay', `${sku}-new`, 8)
    })

    it('every event is kept for analytics, once', async () => {
      const counts = await shop.until(async () => {
        const rows = await shop.app.rows<{ topic: string; count: number }>(
          'SELECT topic, count(*)::int AS count FROM $schema.analytics_events GROUP BY topic ORDER BY topic',
        )
        const [orders] = await shop.app.rows<{ count: number }>('SELECT count(*)::int AS count FROM $schema.orders')
        const found = Object.fromEntries(rows.map(({ topic, count }) => [topic, count]))
        return found['order.placed'] === orders!.count && found['order.cancelled'] === 1 && found
      })
      assert.deepEqual(Object.keys(counts), [
        'customer.created',
        'order.cancelled',
        'order.paid',
        'order.placed',
        'product.updated',
        'stock.changed',
      ])
    })
  })
}

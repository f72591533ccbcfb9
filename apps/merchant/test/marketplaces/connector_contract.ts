import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import type { MarketplaceConnector, MarketplaceOrder } from '../../src/marketplaces/connector/marketplace_connector.ts'
import { signatureOf } from '../../src/marketplaces/signature.ts'

/** A marketplace on which a connector is tried. */
export interface MarketplaceGround {
  connector: MarketplaceConnector
  secret: string
  /** Of nobody else's tests. */
  number(): string
  /** Somebody buys there. */
  buy(lines: readonly { sku: string; quantity: number }[]): Promise<{ id: string }>
  /** What the marketplace shows. */
  listing(externalId: string): Promise<{ title: string; price: number; quantity: number; isLive: boolean } | undefined>
  /** The body that its webhook carries for an order. */
  webhookBody(id: string): Promise<string>
}

/** The promises of `MarketplaceConnector`. */
export function connectorContract(name: string, open: () => MarketplaceGround): void {
  describe(`${name}: a connector`, () => {
    it('lists a product, and puts its whole state when it is told again', async () => {
      const { connector, number, listing } = open()
      const externalId = number()
      assert.deepEqual(await connector.putOffers([{ externalId, title: 'Mug', price: 4.5, quantity: 3 }]), [])
      assert.deepEqual(await connector.putOffers([{ externalId, title: 'Big mug', price: 5.25, quantity: 7 }]), [])
      assert.deepEqual(await listing(externalId), {
        sku: externalId,
        title: 'Big mug',
        price: 5.25,
        quantity: 7,
        isLive: true,
      })
    })

    it('sets prices and stock of many, and reports those that are not listed without stopping the others', async () => {
      const { connector, number, listing } = open()
      const listed = Array.from({ length: 60 }, number)
      await connector.putOffers(listed.map((externalId) => ({ externalId, title: 'Mug', price: 1, quantity: 1 })))
      const missing = number()
      const all = [...listed.slice(0, 30), missing, ...listed.slice(30)]
      const stock = await connector.setStock(all.map((externalId) => ({ externalId, quantity: 9 })))
      const prices = await connector.setPrices(all.map((externalId) => ({ externalId, price: 2.75 })))
      for (const refusals of [stock, prices])
        assert.deepEqual(
          refusals.map(({ externalId, reason }) => [externalId, reason]),
          [[missing, 'unknown']],
        )
      for (const externalId of [listed[0]!, listed[59]!]) {
        const { price, quantity } = (await listing(externalId))!
        assert.deepEqual({ price, quantity }, { price: 2.75, quantity: 9 })
      }
    })

    it('reports a product that the marketplace does not want', async () => {
      const { connector, number } = open()
      const [good, bad] = [number(), number()]
      const refusals = await connector.putOffers([
        { externalId: bad, title: ' ', price: 1, quantity: 1 },
        { externalId: good, title: 'Mug', price: 1, quantity: 1 },
      ])
      assert.deepEqual(
        refusals.map(({ externalId, reason }) => [externalId, reason]),
        [[bad, 'refused']],
      )
    })

    it('ends a listing, and one that is not there', async () => {
      const { connector, number, listing } = open()
      const externalId = number()
      await connector.putOffers([{ externalId, title: 'Mug', price: 1, quantity: 1 }])
      await connector.endOffer(externalId)
      await connector.endOffer(number())
      assert.equal((await listing(externalId))!.isLive, false)
    })

    it('reads every order once, page by page, those that change meanwhile included', async () => {
      const { connector, number, buy } = open()
      const externalId = number()
      await connector.putOffers([{ externalId, title: 'Mug', price: 1.5, quantity: 100 }])
      const start = await lastCursor(connector)
      const placed: string[] = []
      for (let at = 0; at < 55; at++) placed.push((await buy([{ sku: externalId, quantity: 1 }])).id)
      const first = await connector.orders(start)
      assert.equal(first.hasMore, true)
      // Moves to the end of the line, behind what is yet to be read.
      await connector.confirm(placed[54]!, '1001')
      const rest = await readAll(connector, first.cursor)
      const seen = [...first.orders, ...rest.orders].map((order) => order.externalId)
      assert.deepEqual([...new Set(seen)].sort(), [...placed].sort())
      assert.equal(rest.orders.at(-1)!.status, 'confirmed')
      assert.deepEqual(first.orders[0]!.lines, [{ externalId, quantity: 1, unitPrice: 1.5 }])
      assert.equal((await connector.orders(rest.cursor)).orders.length, 0)
    })

    it('confirms and rejects orders, each again without harm, and not one that was answered otherwise', async () => {
      const { connector, number, buy } = open()
      const externalId = number()
      await connector.putOffers([{ externalId, title: 'Mug', price: 1, quantity: 10 }])
      const [kept, left] = [
        await buy([{ sku: externalId, quantity: 1 }]),
        await buy([{ sku: externalId, quantity: 1 }]),
      ]
      for (let time = 0; time < 2; time++) {
        await connector.confirm(kept.id, '77')
        await connector.reject(left.id, 'out of stock')
      }
      await assert.rejects(connector.reject(kept.id, 'no'), (error) => hasCode(error, 'E_MARKETPLACE_REFUSED'))
      await assert.rejects(connector.confirm('nobody', '1'), (error) => hasCode(error, 'E_MARKETPLACE_REFUSED'))
    })

    it('reads a webhook that is signed, and refuses one that was changed, is old, or is signed by somebody else', async () => {
      const { connector, secret, number, buy, webhookBody } = open()
      const externalId = number()
      await connector.putOffers([{ externalId, title: 'Mug', price: 3, quantity: 10 }])
      const { id } = await buy([{ sku: externalId, quantity: 2 }])
      const body = await webhookBody(id)
      const call = webhookCall(secret, body)
      assert.equal(connector.readWebhook(call).externalId, id)
      const bad = [
        { ...call, body: body.replace('2', '9') },
        webhookCall(secret, body, 3_600_000),
        webhookCall('another secret', body),
        { ...call, signature: '' },
        webhookCall(secret, 'no json'),
      ]
      for (const one of bad) assert.throws(() => connector.readWebhook(one), { code: 'E_MARKETPLACE_WEBHOOK' })
    })
  })
}

const PATH = '/api/marketplaces/hook'
const now = () => performance.timeOrigin + performance.now()

function webhookCall(secret: string, body: string, age = 0) {
  const timestamp = Math.round(now() - age)
  const signature = signatureOf(secret, { at: timestamp, method: 'POST', path: PATH, body })
  return { path: PATH, body, timestamp, signature }
}

async function readAll(connector: MarketplaceConnector, from: string | undefined) {
  const orders: MarketplaceOrder[] = []
  let cursor = from
  for (let hasMore = true; hasMore; ) {
    const page = await connector.orders(cursor)
    orders.push(...page.orders)
    cursor = page.cursor
    hasMore = page.hasMore
  }
  return { orders, cursor: cursor! }
}

const lastCursor = async (connector: MarketplaceConnector) => (await readAll(connector, undefined)).cursor

import type { AddressInfo } from 'node:net'
import { jobAttempt, messageHandled } from '@tailwater/core'
import type { MessagingBackend } from '@tailwater/messaging'
import type { Mischief } from '../../src/marketplaces/simulator/mischief.ts'
import type { SimulatedListing, SimulatedOrder } from '../../src/marketplaces/simulator/simulated_shop.ts'
import { createSimulatorProcess } from '../../src/marketplaces/simulator/simulator_process.ts'
import { webhookPath } from '../../src/marketplaces/sync/webhook_route.ts'
import { addProduct, type MerchantApp, type SmallShop, startSmallShop } from '../testing/merchant_app.ts'
import { nextOf } from '../testing/next_of.ts'

const SECRET = 'the secret of the seller'
const MARKETPLACES = [
  { slug: 'stalls', wire: 'bazaar' },
  { slug: 'quay', wire: 'harbour' },
] as const

/** One of the simulated marketplaces. */
export type Slug = (typeof MARKETPLACES)[number]['slug']

/** A shop that sells on two simulated marketplaces, each in a process that is not its own. */
export interface MarketplaceShop extends SmallShop {
  /** By slug. */
  ids: Record<Slug, number>
  behave(mischief: Partial<Mischief>): Promise<void>
  /** Has the marketplaces call the shop when somebody buys, or not any more. */
  webhooks(to: 'here' | 'nowhere'): Promise<void>
  /** Adds a product, and lists it on both under its sku. */
  list(sku: string, onHand: number, price?: number): Promise<number>
  buy(slug: Slug, lines: readonly { sku: string; quantity: number }[]): Promise<SimulatedOrder>
  listing(slug: Slug, sku: string): Promise<SimulatedListing | undefined>
  order(slug: Slug, id: string): Promise<SimulatedOrder | undefined>
  /** Asks the marketplaces for orders, as the shop does by itself every few seconds; orders that were new. */
  ask(): Promise<number>
  /** The result of a look, once it is what is waited for; looks whenever a job or a message has ended. */
  until<T>(look: () => Promise<T | undefined | false>): Promise<T>
  close(): Promise<void>
}

/** Starts the simulation, the shop with its jobs and messages, and a server that webhooks reach. */
export async function startMarketplaceShop(carrier?: MessagingBackend): Promise<MarketplaceShop> {
  const quiet = { latency: 0, errorRate: 0, rateLimit: 0, ordersPerMinute: 0 }
  const marketplaces = MARKETPLACES.map((one) => ({ ...one, secret: SECRET }))
  const simulator = createSimulatorProcess({ marketplaces, port: 0, seed: 'tests', mischief: quiet })
  await simulator.start()
  const accounts = marketplaces.map((one) => ({ ...one, baseUrl: `${simulator.url}/${one.slug}`, rate: 10_000 }))
  const shop = await startSmallShop({ marketplaces: accounts, ...(carrier && { carrier }) })
  const { app, merchant } = shop
  await app.messaging.start()
  await app.jobs.start()
  await app.app.listen({ port: 0, host: '127.0.0.1' })
  const here = `http://127.0.0.1:${(app.app.server.address() as AddressInfo).port}/api`
  const ids = await marketplaceIds(app)

  async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await fetch(`${simulator.url}/control/${path}`, { method, ...init })
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as T
  }
  const stateOf = (slug: Slug) => control<{ listings: SimulatedListing[]; orders: SimulatedOrder[] }>('GET', slug)

  return {
    ...shop,
    ids,
    async behave(mischief) {
      await control('PATCH', 'behaviour', mischief)
    },
    async webhooks(to) {
      for (const { slug } of MARKETPLACES)
        await control('PATCH', slug, to === 'here' ? { webhookUrl: here + webhookPath(slug) } : {})
    },
    async list(sku, onHand, price = 10) {
      const id = await addProduct(app, { merchantId: merchant.id, categoryId: shop.categoryId, sku, onHand, price })
      for (const { slug } of MARKETPLACES) {
        const body = { externalId: sku, price }
        const answer = await app.ask('PUT', `/api/products/${id}/listings/${ids[slug]}`, {
          token: merchant.token,
          body,
        })
        if (answer.status !== 200) throw new Error(JSON.stringify(answer.body))
      }
      return id
    },
    buy: (slug, lines) => control('POST', `${slug}/orders`, { lines }),
    listing: async (slug, sku) => (await stateOf(slug)).listings.find((one) => one.sku === sku),
    order: async (slug, id) => (await stateOf(slug)).orders.find((one) => one.id === id),
    async ask() {
      await app.rows('UPDATE $schema.marketplace_syncs SET asked_at = NULL')
      return app.merchant.askMarketplaces()
    },
    async until(look) {
      for (;;) {
        const next = nextOf(jobAttempt, messageHandled)
        const found = await look()
        if (found !== undefined && found !== false) return found
        await next
      }
    },
    async close() {
      await app.close()
      await simulator.stop()
    },
  }
}

async function marketplaceIds(app: MerchantApp): Promise<Record<Slug, number>> {
  await app.rows(
    `INSERT INTO $schema.marketplaces (slug, name) SELECT slug, slug FROM unnest($1::text[]) AS given (slug)`,
    [MARKETPLACES.map(({ slug }) => slug)],
  )
  const rows = await app.rows<{ slug: Slug; id: number }>('SELECT slug, id::float8 AS id FROM $schema.marketplaces')
  return Object.fromEntries(rows.map(({ slug, id }) => [slug, id])) as Record<Slug, number>
}

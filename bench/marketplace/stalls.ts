import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SimulatedListing, SimulatedOrder } from '../../apps/merchant/src/marketplaces/simulator/simulated_shop.ts'
import { createSimulatorProcess } from '../../apps/merchant/src/marketplaces/simulator/simulator_process.ts'
import { webhookPath } from '../../apps/merchant/src/marketplaces/sync/webhook_route.ts'

const MARKETPLACES = [
  { slug: 'bazaar-street', wire: 'bazaar' },
  { slug: 'market-square', wire: 'harbour' },
  { slug: 'shopfront', wire: 'bazaar' },
  { slug: 'craft-corner', wire: 'harbour' },
] as const

/** Slugs of the marketplaces, in the order of their ids in the generated data. */
export const slugs = MARKETPLACES.map(({ slug }) => slug)

/** What a marketplace knows, by its own clock. */
export interface StallState {
  listings: SimulatedListing[]
  orders: SimulatedOrder[]
  toldAt: Record<string, number>
}

/** The simulated marketplaces of a benchmark. */
export interface Stalls {
  /** For MARKETPLACES of the shop. */
  file: string
  state(slug: string): Promise<StallState>
  buy(slug: string, sku: string): Promise<SimulatedOrder>
  /** Has them call a shop. */
  tell(port: number): Promise<void>
  stop(): Promise<void>
}

/** Starts them: each answer takes so long, 50 requests a second are taken, nothing fails. @param folder for the file */
export async function openStalls(folder: string, latency: number): Promise<Stalls> {
  const marketplaces = MARKETPLACES.map((one) => ({ ...one, secret: randomBytes(32).toString('hex') }))
  const simulator = createSimulatorProcess({ marketplaces, port: 0, seed: 'bench', mischief: { latency } })
  await simulator.start()
  const file = join(folder, 'marketplaces.json')
  writeFileSync(file, JSON.stringify(marketplaces.map((one) => ({ ...one, baseUrl: `${simulator.url}/${one.slug}` }))))

  async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const init = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await fetch(`${simulator.url}/control/${path}`, { method, ...init })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
    return (await answer.json()) as T
  }

  return {
    file,
    state: (slug) => control('GET', slug),
    buy: (slug, sku) => control('POST', `${slug}/orders`, { lines: [{ sku, quantity: 1 }] }),
    async tell(port) {
      for (const slug of slugs)
        await control('PATCH', slug, { webhookUrl: `http://127.0.0.1:${port}/api${webhookPath(slug)}` })
    },
    stop: () => simulator.stop(),
  }
}

import { randomBytes } from 'node:crypto'
import type { Service } from '@tailwater/core'
import { createSimulatorProcess } from '../marketplaces/simulator/simulator_process.ts'
import type { MarketplaceAccount } from '../marketplaces/sync/connection.ts'
import { webhookPath } from '../marketplaces/sync/webhook_route.ts'

/** Marketplaces that are not there, for development: in a process of their own, with buyers of their own. */
export interface SimulatedMarketplaces extends Service {
  /** `http://127.0.0.1:…`, once started. */
  readonly url: string
  readonly accounts: readonly MarketplaceAccount[]
  /** Has them call the shop when somebody buys. @param shopUrl without a slash at its end */
  tell(shopUrl: string): Promise<void>
}

/** Those of the generated data, two of each kind. */
const MARKETPLACES = [
  { slug: 'bazaar-street', wire: 'bazaar' },
  { slug: 'market-square', wire: 'harbour' },
  { slug: 'shopfront', wire: 'bazaar' },
  { slug: 'craft-corner', wire: 'harbour' },
] as const

/** Orders a minute over all of them: enough to see something happen. */
const ORDERS_PER_MINUTE = 2

/** Listings of each of which a simulation that begins with nothing is told; it hears of any other when that changes. */
export const SHOWN_LISTINGS = 200

/** Puts the simulation together. Keys are made for each run, as its memory is. */
export function createSimulatedMarketplaces(): SimulatedMarketplaces {
  const marketplaces = MARKETPLACES.map((one) => ({ ...one, secret: randomBytes(32).toString('hex') }))
  const simulator = createSimulatorProcess({
    marketplaces,
    port: 0,
    seed: 'development',
    mischief: { ordersPerMinute: ORDERS_PER_MINUTE },
  })
  return {
    name: simulator.name,
    start: () => simulator.start(),
    stop: (deadline) => simulator.stop(deadline),
    get url() {
      return simulator.url
    },
    accounts: marketplaces.map((one) => ({ ...one, baseUrl: () => `${simulator.url}/${one.slug}` })),
    async tell(shopUrl) {
      for (const { slug } of marketplaces) {
        const body = JSON.stringify({ webhookUrl: `${shopUrl}/api${webhookPath(slug)}` })
        const answer = await fetch(`${simulator.url}/control/${slug}`, { method: 'PATCH', body })
        await answer.body?.cancel()
      }
    },
  }
}

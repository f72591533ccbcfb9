import { systemClock } from '@tailwater/core'
import { createMessaging, type Policy } from '@tailwater/messaging'
import { createBazaarConnector } from '../../src/marketplaces/connector/bazaar_connector.ts'
import { createHarbourConnector } from '../../src/marketplaces/connector/harbour_connector.ts'
import { MarketplaceClient } from '../../src/marketplaces/connector/marketplace_client.ts'
import { bazaarOrder } from '../../src/marketplaces/simulator/bazaar_wire.ts'
import { harbourOrder } from '../../src/marketplaces/simulator/harbour_wire.ts'
import type { Mischief } from '../../src/marketplaces/simulator/mischief.ts'
import type { SimulatedListing, SimulatedOrder } from '../../src/marketplaces/simulator/simulated_shop.ts'
import { createSimulatorProcess, type SimulatorProcess } from '../../src/marketplaces/simulator/simulator_process.ts'
import type { MarketplaceGround } from './connector_contract.ts'

const SECRET = 'the secret of the seller'
const MARKETPLACES = [
  { slug: 'stalls', wire: 'bazaar', secret: SECRET },
  { slug: 'quay', wire: 'harbour', secret: SECRET },
] as const

/** Simulated marketplaces in a process of their own, without delay or mischief until they are told. */
export interface SimulatedGround {
  simulator: SimulatorProcess
  open(wire: 'bazaar' | 'harbour', options?: { policy?: Policy; rate?: number }): MarketplaceGround
  behave(mischief: Partial<Mischief>): Promise<void>
  close(): Promise<void>
}

/** A policy as the shop's, with less patience. */
export function patientPolicy(
  name: string,
  options: Parameters<ReturnType<typeof createMessaging>['policy']>[1],
): Policy {
  return createMessaging({}).policy(name, options)
}

/** Starts them on a free port. */
export async function startSimulatedGround(): Promise<SimulatedGround> {
  const quiet = { latency: 0, errorRate: 0, rateLimit: 0, ordersPerMinute: 0 }
  const simulator = createSimulatorProcess({ marketplaces: MARKETPLACES, port: 0, seed: 'tests', mischief: quiet })
  await simulator.start()
  let numbers = 0

  async function state(slug: string) {
    const answer = await fetch(`${simulator.url}/control/${slug}`)
    return (await answer.json()) as { listings: SimulatedListing[]; orders: SimulatedOrder[] }
  }

  function open(wire: 'bazaar' | 'harbour', { policy, rate = 10_000 }: { policy?: Policy; rate?: number } = {}) {
    const { slug } = MARKETPLACES.find((one) => one.wire === wire)!
    const client = new MarketplaceClient({
      slug,
      baseUrl: `${simulator.url}/${slug}`,
      clock: systemClock,
      policy: policy ?? patientPolicy(`${slug}-${++numbers}`, { timeout: '5s' }),
      rate,
    })
    const connector =
      wire === 'bazaar'
        ? createBazaarConnector({ slug, client, secret: SECRET })
        : createHarbourConnector({ slug, client, secret: SECRET })
    const words = wire === 'bazaar' ? bazaarOrder : harbourOrder
    return {
      connector,
      secret: SECRET,
      number: () => `N${++numbers}`,
      async buy(lines: readonly { sku: string; quantity: number }[]) {
        const answer = await fetch(`${simulator.url}/control/${slug}/orders`, {
          method: 'POST',
          body: JSON.stringify({ lines }),
        })
        if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`)
        return (await answer.json()) as { id: string }
      },
      listing: async (externalId: string) => (await state(slug)).listings.find(({ sku }) => sku === externalId),
      async webhookBody(id: string) {
        const order = (await state(slug)).orders.find((one) => one.id === id)
        return JSON.stringify(words(order!))
      },
    }
  }

  return {
    simulator,
    open,
    async behave(mischief) {
      await fetch(`${simulator.url}/control/behaviour`, { method: 'PATCH', body: JSON.stringify(mischief) })
    },
    close: () => simulator.stop(),
  }
}

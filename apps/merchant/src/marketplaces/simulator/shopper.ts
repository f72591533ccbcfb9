import type { Cancel, Clock } from '@tailwater/core'
import type { Random } from '../../data/random.ts'
import type { Mischief } from './mischief.ts'
import type { SimulatedShop } from './simulated_shop.ts'

/** What the buyers of a simulation need. */
export interface ShopperParts {
  shops: readonly SimulatedShop[]
  /** Read anew each time, because it can be changed. */
  mischief: Readonly<Mischief>
  clock: Clock
  random: Random
}

/** Milliseconds in which the rate is looked at again while nobody buys. */
const IDLE = 1_000
const FIRST_NAMES = ['Ada', 'Grace', 'Alan', 'Edsger', 'Barbara', 'Donald'] as const
const COUNTRIES = ['United Kingdom', 'Germany', 'France', 'Spain'] as const

/** Lets people buy what is on offer, at random moments, until the result is called. */
export function keepShopping({ shops, mischief, clock, random }: ShopperParts): Cancel {
  let cancel: Cancel = () => {}

  function next(): void {
    const { ordersPerMinute } = mischief
    // Moments of independent buyers: the pauses between them are exponential.
    const pause = ordersPerMinute > 0 ? (-Math.log(1 - random.next()) * 60_000) / ordersPerMinute : IDLE
    cancel = clock.after(pause, () => {
      if (ordersPerMinute > 0) buySomething(random.pick(shops), random)
      next()
    })
  }
  next()
  return () => cancel()
}

function buySomething(shop: SimulatedShop, random: Random): void {
  const offered = shop.listings.filter(({ isLive, quantity }) => isLive && quantity > 0)
  if (offered.length === 0) return
  const { sku, quantity } = random.pick(offered)
  const name = random.pick(FIRST_NAMES)
  const buyer = { name, email: `${name.toLowerCase()}@example.com`, country: random.pick(COUNTRIES) }
  shop.place(buyer, [{ sku, quantity: 1 + random.integer(Math.min(3, quantity)) }])
}

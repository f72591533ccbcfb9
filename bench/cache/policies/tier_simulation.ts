import type { NearEntry } from '../../../packages/cache/src/near/near_entry.ts'
import { createNearTier, type NearTier } from '../../../packages/cache/src/near/near_tier.ts'
import type { PolicyChoice } from '../../../packages/cache/src/near/policy_choice.ts'
import type { SimulatedCache } from './simulated_cache.ts'

const names: string[] = []

/** The product's own near tier with one of its policies. */
export class TierSimulation implements SimulatedCache {
  readonly #tier: NearTier

  constructor(policy: PolicyChoice, capacity: number, keys: number) {
    this.#tier = createNearTier({ maxEntries: capacity, maxBytes: capacity, policy })
    while (names.length < keys) names.push(`object:${names.length}`)
  }

  get size(): number {
    return this.#tier.size
  }

  request(key: number): boolean {
    const name = names[key]!
    if (this.#tier.get(name) !== undefined) return true
    this.#tier.set(entryOf(name))
    return false
  }
}

function entryOf(key: string): NearEntry {
  return { key, value: key, freshUntil: 1, usableUntil: 1, checkedAt: 0, sequence: 0, tags: [], bytes: 1 }
}

import type { NearEntry } from '../../../packages/cache/src/near/near_entry.ts'
import { createNearTier, type NearTier } from '../../../packages/cache/src/near/near_tier.ts'
import type { Tag } from '../../../packages/cache/src/tag.ts'
import {
  type Asked,
  type CreateSubject,
  LIFETIME,
  MOST_BYTES,
  type Subject,
  VALUE_BYTES,
  type Value,
} from './subject.ts'

const noTags: readonly Tag[] = []

/** The product's near tier, asked as its engine does: an entry counts while it is fresh by a reading of the clock. */
export const nearTierSubject: CreateSubject = {
  name: 'near tier',
  settings: 'createNearTier({ maxEntries, maxBytes, policy: s3-fifo }), each hit compared with the clock',
  create: (entries) => new NearTierSubject(entries),
}

class NearTierSubject implements Subject {
  readonly #tier: NearTier

  constructor(entries: number) {
    this.#tier = createNearTier({ maxEntries: entries, maxBytes: MOST_BYTES, policy: 's3-fifo' })
  }

  get size(): number {
    return this.#tier.size
  }

  set(key: string, value: Value): void {
    this.#tier.set(entryOf(key, value, 0))
  }

  askBuilt(ids: Uint32Array): Asked {
    const tier = this.#tier
    const now = Math.round(performance.now())
    let hits = 0
    let idSum = 0
    for (const id of ids) {
      const key = `product:${id}`
      let entry = tier.get(key)
      if (entry !== undefined && now < entry.freshUntil) hits++
      else {
        entry = entryOf(key, { id }, now)
        tier.set(entry)
      }
      idSum += (entry.value as Value).id
    }
    return { hits, idSum }
  }

  askReady(ids: Uint32Array, keys: readonly string[]): Asked {
    const tier = this.#tier
    const now = Math.round(performance.now())
    let hits = 0
    let idSum = 0
    for (const id of ids) {
      const key = keys[id]!
      let entry = tier.get(key)
      if (entry !== undefined && now < entry.freshUntil) hits++
      else {
        entry = entryOf(key, { id }, now)
        tier.set(entry)
      }
      idSum += (entry.value as Value).id
    }
    return { hits, idSum }
  }
}

function entryOf(key: string, value: Value, now: number): NearEntry {
  return {
    key,
    value,
    freshUntil: now + LIFETIME,
    usableUntil: now + LIFETIME,
    checkedAt: now,
    sequence: 0,
    tags: noTags,
    bytes: VALUE_BYTES,
  }
}

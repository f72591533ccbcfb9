import type { NearEntry } from './near_entry.ts'
import type { EvictionPolicy, EvictionPolicyFactory } from './policy.ts'
import { type PolicyChoice, policyFactory } from './policy_choice.ts'

/**
 * Values by key in this process's memory, bounded by entries and by bytes.
 *
 * It knows nothing of freshness, tags or versions: its caller decides whether an entry still counts, and deletes it if not.
 */
export interface NearTier {
  /** The entry, counted as used. Allocates nothing. */
  get(key: string): NearEntry | undefined
  /** The entry, not counted as used. */
  peek(key: string): NearEntry | undefined
  /**
   * Keeps it and evicts what must go; an entry larger than the whole tier is not kept, and what was under its key goes. Putting another entry under a key
   * does not count as use of it.
   */
  set(entry: NearEntry): void
  delete(key: string): boolean
  /** Forgets everything, and what the policy has learnt. */
  clear(): void
  /** In the order in which keys came; keys that come or go meanwhile are given, or not, as with a Map. */
  keys(): IterableIterator<string>
  /** Looks at so many entries and removes those past `usableUntil`; goes on where the last call stopped. Returns how many went. */
  sweep(now: number, budget: number): number
  readonly size: number
  /** The sum of the entries' `bytes`. */
  readonly bytes: number
  /** Entries that went for want of room since the tier was built. */
  readonly evictions: number
}

/** How large a near tier may be, and what goes first. */
export interface NearTierOptions {
  /** At least 1. */
  maxEntries: number
  /** Of the entries' `bytes`, which are estimates: the process may use twice as much. */
  maxBytes: number
  policy: PolicyChoice
}

/** Slots to begin with; they double when they run out, so that a tier that may hold a million costs little while it holds few. */
const FIRST_SLOTS = 1_024

/**
 * Builds a near tier.
 *
 * @example
 * const tier = createNearTier({ maxEntries: 10_000, maxBytes: 64 * 2 ** 20, policy: 's3-fifo' })
 */
export function createNearTier(options: NearTierOptions): NearTier {
  return new SlotTier(options)
}

/**
 * A Map from keys to the numbers of slots, the entries in an array by slot, and what the policy knows of them in typed arrays. Beside key and entry that is about 65 bytes
 * each with S3-FIFO, of which the Map has more than half.
 */
class SlotTier implements NearTier {
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #createPolicy: EvictionPolicyFactory
  readonly #slots = new Map<string, number>()
  #entries: (NearEntry | undefined)[] = []
  /** Slots below `entries.length` that are empty. The one emptied last is filled first. */
  #free: number[] = []
  /** Slots that the policy has room for. */
  #room = 0
  #policy: EvictionPolicy
  #bytes = 0
  #evictions = 0
  #sweepAt = 0

  constructor({ maxEntries, maxBytes, policy }: NearTierOptions) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
    this.#createPolicy = policyFactory(policy)
    this.#policy = this.#createPolicy()
  }

  get size(): number {
    return this.#slots.size
  }

  get bytes(): number {
    return this.#bytes
  }

  get evictions(): number {
    return this.#evictions
  }

  get(key: string): NearEntry | undefined {
    const slot = this.#slots.get(key)
    if (slot === undefined) return undefined
    this.#policy.hit(slot)
    return this.#entries[slot]
  }

  peek(key: string): NearEntry | undefined {
    const slot = this.#slots.get(key)
    return slot === undefined ? undefined : this.#entries[slot]
  }

  set(entry: NearEntry): void {
    const slot = this.#slots.get(entry.key)
    if (entry.bytes > this.#maxBytes) {
      if (slot !== undefined) this.#remove(slot)
    } else if (slot === undefined) this.#insert(entry)
    else this.#replace(slot, entry)
  }

  delete(key: string): boolean {
    const slot = this.#slots.get(key)
    if (slot === undefined) return false
    this.#remove(slot)
    return true
  }

  clear(): void {
    this.#slots.clear()
    this.#entries = []
    this.#free = []
    this.#room = 0
    this.#policy = this.#createPolicy()
    this.#bytes = 0
  }

  keys(): IterableIterator<string> {
    return this.#slots.keys()
  }

  sweep(now: number, budget: number): number {
    let removed = 0
    for (let looks = Math.min(budget, this.#entries.length); looks > 0; looks--) {
      if (this.#sweepAt >= this.#entries.length) this.#sweepAt = 0
      const slot = this.#sweepAt++
      const entry = this.#entries[slot]
      if (entry === undefined || entry.usableUntil > now) continue
      this.#remove(slot)
      removed++
    }
    return removed
  }

  #insert(entry: NearEntry): void {
    while (this.#slots.size >= this.#maxEntries || this.#bytes + entry.bytes > this.#maxBytes) this.#evict()
    const slot = this.#free.pop() ?? this.#newSlot()
    this.#slots.set(entry.key, slot)
    this.#entries[slot] = entry
    this.#bytes += entry.bytes
    this.#policy.insert(slot, entry.key)
  }

  #replace(slot: number, entry: NearEntry): void {
    this.#bytes += entry.bytes - this.#entries[slot]!.bytes
    this.#entries[slot] = entry
    while (this.#bytes > this.#maxBytes) this.#evict()
  }

  #newSlot(): number {
    const slot = this.#entries.length
    if (slot === this.#room) {
      this.#room = Math.min(this.#maxEntries, Math.max(FIRST_SLOTS, this.#room * 2))
      this.#policy.grow(this.#room)
    }
    this.#entries.push(undefined)
    return slot
  }

  #evict(): void {
    this.#empty(this.#policy.victim())
    this.#evictions++
  }

  #remove(slot: number): void {
    this.#policy.remove(slot)
    this.#empty(slot)
  }

  #empty(slot: number): void {
    const entry = this.#entries[slot]!
    this.#slots.delete(entry.key)
    this.#entries[slot] = undefined
    this.#bytes -= entry.bytes
    this.#free.push(slot)
  }
}

import { grown } from './grown.ts'
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
  /** Keys and sizes beside the entries: an eviction then needs nothing of an entry that nobody has looked at for long, and that is in no cache of the processor. */
  #keys: string[] = []
  #sizes: Float64Array = new Float64Array(0)
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
    this.#keys = []
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
    const { key, bytes } = entry
    const slot = this.#roomFor(bytes)
    this.#slots.set(key, slot)
    this.#entries[slot] = entry
    this.#keys[slot] = key
    this.#sizes[slot] = bytes
    this.#bytes += bytes
    this.#policy.insert(slot, key)
  }

  #replace(slot: number, entry: NearEntry): void {
    this.#bytes += entry.bytes - this.#sizes[slot]!
    this.#entries[slot] = entry
    this.#sizes[slot] = entry.bytes
    while (this.#bytes > this.#maxBytes) this.#clear(this.#evict())
  }

  /** A slot that may be filled. Mostly one entry goes for the one that comes, and leaves its own. */
  #roomFor(bytes: number): number {
    let slot = -1
    while (this.#slots.size >= this.#maxEntries || this.#bytes + bytes > this.#maxBytes) {
      if (slot >= 0) this.#clear(slot)
      slot = this.#evict()
    }
    return slot >= 0 ? slot : (this.#free.pop() ?? this.#newSlot())
  }

  #newSlot(): number {
    const slot = this.#entries.length
    if (slot === this.#room) {
      this.#room = Math.min(this.#maxEntries, Math.max(FIRST_SLOTS, this.#room * 2))
      this.#policy.grow(this.#room)
      this.#sizes = grown(this.#sizes, this.#room)
    }
    this.#entries.push(undefined)
    this.#keys.push('')
    return slot
  }

  /** Lets an entry go; its slot has yet to be filled or cleared. */
  #evict(): number {
    const slot = this.#policy.victim()
    this.#evictions++
    this.#forget(slot)
    return slot
  }

  #remove(slot: number): void {
    this.#policy.remove(slot)
    this.#forget(slot)
    this.#clear(slot)
  }

  #forget(slot: number): void {
    this.#slots.delete(this.#keys[slot]!)
    this.#bytes -= this.#sizes[slot]!
  }

  #clear(slot: number): void {
    this.#entries[slot] = undefined
    this.#keys[slot] = ''
    this.#free.push(slot)
  }
}

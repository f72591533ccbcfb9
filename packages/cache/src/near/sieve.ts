import { grown } from './grown.ts'
import type { EvictionPolicy } from './policy.ts'
import { SlotLists } from './slot_lists.ts'

const LIST = 0
/** No slot: the hand begins at the back. */
const NONE = -1

/**
 * SIEVE: one list in order of insertion, a mark for each entry that was read, and a hand that goes from the back to the front, takes marks away and evicts the first entry without one. Entries
 * that stay keep their place, so new ones have until the hand's next visit to prove themselves.
 *
 * Excellent on web traffic and the least code of all. Where entries are read once soon after they came and then never again, or in loops, it falls far below LRU (0.3 % of hits
 * instead of 33 % on a ledger's trace), so it is not the default.
 *
 * Source: Zhang et al., SIEVE is Simpler than LRU, NSDI 2024.
 */
export class Sieve implements EvictionPolicy {
  readonly #order = new SlotLists(1)
  #marks: Uint8Array = new Uint8Array(0)
  #hand = NONE

  grow(slots: number): void {
    this.#order.grow(slots)
    this.#marks = grown(this.#marks, slots)
  }

  insert(slot: number): void {
    this.#marks[slot] = 0
    this.#order.push(LIST, slot)
  }

  hit(slot: number): void {
    this.#marks[slot] = 1
  }

  remove(slot: number): void {
    if (slot === this.#hand) this.#hand = this.#order.before(slot)
    this.#order.remove(slot)
  }

  victim(): number {
    let slot = this.#hand < 0 ? this.#order.last(LIST) : this.#hand
    while (this.#marks[slot] === 1) {
      this.#marks[slot] = 0
      slot = this.#order.before(slot)
      if (slot < 0) slot = this.#order.last(LIST)
    }
    this.#hand = this.#order.before(slot)
    this.#order.remove(slot)
    return slot
  }
}

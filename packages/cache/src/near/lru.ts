import type { EvictionPolicy } from './policy.ts'
import { SlotLists } from './slot_lists.ts'

const LIST = 0

/**
 * Least recently used out first.
 *
 * Right where what was read last is read next. One pass over many entries that nobody reads again empties it of everything else, and a hit relinks the list, which is six writes.
 */
export class Lru implements EvictionPolicy {
  readonly #order = new SlotLists(1)

  grow(slots: number): void {
    this.#order.grow(slots)
  }

  insert(slot: number): void {
    this.#order.push(LIST, slot)
  }

  hit(slot: number): void {
    this.#order.remove(slot)
    this.#order.push(LIST, slot)
  }

  remove(slot: number): void {
    this.#order.remove(slot)
  }

  victim(): number {
    const slot = this.#order.last(LIST)
    this.#order.remove(slot)
    return slot
  }
}

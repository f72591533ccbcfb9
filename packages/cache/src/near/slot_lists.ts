import { grown } from './grown.ts'

/**
 * Doubly linked lists of slots in two typed arrays: 8 bytes for each slot, which is in one list at most.
 *
 * Each list is a ring closed by a node of its own. Those nodes stand before the slots' own; so no operation has to ask whether a neighbour exists.
 */
export class SlotLists {
  readonly #lists: number
  #next: Int32Array
  #previous: Int32Array

  constructor(lists: number) {
    this.#lists = lists
    this.#next = Int32Array.from({ length: lists }, (_, list) => list)
    this.#previous = this.#next.slice()
  }

  grow(slots: number): void {
    this.#next = grown(this.#next, slots + this.#lists)
    this.#previous = grown(this.#previous, slots + this.#lists)
  }

  /** Puts the slot, which is in no list, at the front. */
  push(list: number, slot: number): void {
    const node = slot + this.#lists
    const first = this.#next[list]!
    this.#next[node] = first
    this.#previous[node] = list
    this.#previous[first] = node
    this.#next[list] = node
  }

  /** Takes the slot out of the list that it is in. */
  remove(slot: number): void {
    const node = slot + this.#lists
    const next = this.#next[node]!
    const previous = this.#previous[node]!
    this.#next[previous] = next
    this.#previous[next] = previous
  }

  /** The slot at the back; negative when the list is empty. */
  last(list: number): number {
    return this.#previous[list]! - this.#lists
  }

  /** The next slot towards the front; negative at the front. */
  before(slot: number): number {
    return this.#previous[slot + this.#lists]! - this.#lists
  }
}

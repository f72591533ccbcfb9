/** The list of a key that is in none. */
export const NOWHERE = 255

/** Doubly linked lists of numbered keys, each in one list at most; lists know their lengths. */
export class KeyLists {
  readonly #lists: number
  readonly #next: Int32Array
  readonly #previous: Int32Array
  readonly #where: Uint8Array
  readonly #lengths: Int32Array

  constructor(lists: number, keys: number) {
    this.#lists = lists
    // Rings, closed by a node for each list, which stand before those of the keys.
    this.#next = Int32Array.from({ length: lists + keys }, (_, node) => node)
    this.#previous = this.#next.slice()
    this.#where = new Uint8Array(keys).fill(NOWHERE)
    this.#lengths = new Int32Array(lists)
  }

  /** The key's list, or NOWHERE. */
  where(key: number): number {
    return this.#where[key]!
  }

  length(list: number): number {
    return this.#lengths[list]!
  }

  /** The key at the back of a list that is not empty. */
  last(list: number): number {
    return this.#previous[list]! - this.#lists
  }

  /** Puts the key at the front of a list, wherever it was. */
  move(list: number, key: number): void {
    this.remove(key)
    const node = key + this.#lists
    const first = this.#next[list]!
    this.#next[node] = first
    this.#previous[node] = list
    this.#previous[first] = node
    this.#next[list] = node
    this.#where[key] = list
    this.#lengths[list]!++
  }

  /** Takes the key out of its list, if it is in one. */
  remove(key: number): void {
    const list = this.#where[key]!
    if (list === NOWHERE) return
    const node = key + this.#lists
    const next = this.#next[node]!
    const previous = this.#previous[node]!
    this.#next[previous] = next
    this.#previous[next] = previous
    this.#where[key] = NOWHERE
    this.#lengths[list]!--
  }
}

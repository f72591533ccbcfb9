/** What a round asked for. */
export interface Asked {
  hits: number
  /** Sum of the ids that the values name, of hits and of what was put in. */
  idSum: number
}

/**
 * A cache in memory that rounds are run with. Each has its own loops, so that the engine compiles them for that cache alone, as it would in a process that has no other.
 */
export interface Subject {
  /** Asks for each id by a key that it builds; puts in what is not there. */
  askBuilt(ids: Uint32Array): Asked
  /** The same with keys at hand, by id. */
  askReady(ids: Uint32Array, keys: readonly string[]): Asked
  readonly size: number
  set(key: string, value: Value): void
}

/** What is kept: its key's number. */
export interface Value {
  id: number
}

/** A kind of cache in memory. */
export interface CreateSubject {
  name: string
  settings: string
  create(entries: number): Subject
}

/** Milliseconds that every entry lives: longer than any round. */
export const LIFETIME = 3_600_000
/** Bytes that every value is said to have, and all of them together may have: never the bound that is felt. */
export const VALUE_BYTES = 100
export const MOST_BYTES = 2 ** 40

/** A cache of which only the keys matter. */
export interface SimulatedCache {
  /** Asks for a key and, on a miss, puts it in: whether it was there. */
  request(key: number): boolean
  /** Keys that it holds. */
  readonly size: number
}

/** Builds an empty one for keys from 0 up to `keys`. */
export type CreateSimulated = (capacity: number, keys: number) => SimulatedCache

import { KeyLists } from './key_lists.ts'
import type { SimulatedCache } from './simulated_cache.ts'

/** Read once, and read again, both in the cache; and the ghosts of each: keys that went not long ago. */
const ONCE = 0
const AGAIN = 1
const ONCE_GHOST = 2
const AGAIN_GHOST = 3

/**
 * ARC: two LRU lists whose shares move towards the one whose ghost is asked for.
 *
 * Source: Megiddo and Modha, ARC: A Self-Tuning, Low Overhead Replacement Cache, FAST 2003, figure 4.
 */
export class Arc implements SimulatedCache {
  readonly #capacity: number
  readonly #lists: KeyLists
  /** How long the list of those read once should be: `p` in the paper. */
  #target = 0

  constructor(capacity: number, keys: number) {
    this.#capacity = capacity
    this.#lists = new KeyLists(4, keys)
  }

  get size(): number {
    return this.#lists.length(ONCE) + this.#lists.length(AGAIN)
  }

  request(key: number): boolean {
    const where = this.#lists.where(key)
    if (where === ONCE_GHOST) this.#grow(this.#lists.length(AGAIN_GHOST) / this.#lists.length(ONCE_GHOST))
    else if (where === AGAIN_GHOST) this.#grow(-this.#lists.length(ONCE_GHOST) / this.#lists.length(AGAIN_GHOST))
    const isHit = where === ONCE || where === AGAIN
    const isGhost = where === ONCE_GHOST || where === AGAIN_GHOST
    if (isGhost) this.#replace(where === AGAIN_GHOST)
    if (!isHit && !isGhost) this.#makeRoom()
    this.#lists.move(isHit || isGhost ? AGAIN : ONCE, key)
    return isHit
  }

  /** Moves the target by at least one, within the cache. */
  #grow(by: number): void {
    const step = Math.sign(by) * Math.max(1, Math.abs(by))
    this.#target = Math.min(this.#capacity, Math.max(0, this.#target + (by === 0 ? 1 : step)))
  }

  /** Room for a key that is in none of the lists. */
  #makeRoom(): void {
    const once = this.#lists.length(ONCE)
    const onceInAll = once + this.#lists.length(ONCE_GHOST)
    const inAll = onceInAll + this.#lists.length(AGAIN) + this.#lists.length(AGAIN_GHOST)
    if (onceInAll === this.#capacity) {
      if (once === this.#capacity) this.#lists.remove(this.#lists.last(ONCE))
      else {
        this.#lists.remove(this.#lists.last(ONCE_GHOST))
        this.#replace(false)
      }
    } else if (inAll >= this.#capacity) {
      if (inAll === 2 * this.#capacity) this.#lists.remove(this.#lists.last(AGAIN_GHOST))
      this.#replace(false)
    }
  }

  /** Sends the last of one of the lists to its ghosts. */
  #replace(isForAgainGhost: boolean): void {
    const once = this.#lists.length(ONCE)
    const isOnce = once > 0 && (once > this.#target || (isForAgainGhost && once === Math.floor(this.#target)))
    if (isOnce) this.#lists.move(ONCE_GHOST, this.#lists.last(ONCE))
    else this.#lists.move(AGAIN_GHOST, this.#lists.last(AGAIN))
  }
}

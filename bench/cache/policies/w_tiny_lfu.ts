import { FrequencySketch } from './frequency_sketch.ts'
import { KeyLists, NOWHERE } from './key_lists.ts'
import type { SimulatedCache } from './simulated_cache.ts'

/** What came last; what was read once since it left the window; what was read again. */
const WINDOW = 0
const PROBATION = 1
const PROTECTED = 2

/** Shares to begin with: of the window in the whole, of what is protected in the rest. */
const WINDOW_SHARE = 0.01
const PROTECTED_SHARE = 0.8

/** The climber's sample as a multiple of the capacity, its first step as a share of it, how steps shrink, and the change of the hit ratio that makes it begin anew. */
const SAMPLE = 10
const STEP_SHARE = 0.0625
const STEP_DECAY = 0.98
const RESTART = 0.05

/**
 * W-TinyLFU with a climber: new keys pass an LRU window; who leaves it gets the place of the main part's oldest only if it was asked for more often. The window grows or shrinks as the hit
 * ratio of the last sample was better or worse.
 *
 * Source: Einziger, Friedman, Manes, TinyLFU, ACM ToS 2017; Einziger, Eytan, Friedman, Manes, Adaptive Software Cache Management, Middleware 2018; the constants are those of Caffeine 3.
 */
export class WTinyLfu implements SimulatedCache {
  readonly #capacity: number
  readonly #lists: KeyLists
  readonly #sketch: FrequencySketch
  #windowMost: number
  #step: number
  #requests = 0
  #hits = 0
  #lastRatio = 0

  constructor(capacity: number, keys: number) {
    this.#capacity = capacity
    this.#lists = new KeyLists(3, keys)
    this.#sketch = new FrequencySketch(capacity)
    this.#windowMost = Math.max(1, Math.round(capacity * WINDOW_SHARE))
    this.#step = STEP_SHARE * capacity
  }

  get size(): number {
    return this.#lists.length(WINDOW) + this.#lists.length(PROBATION) + this.#lists.length(PROTECTED)
  }

  request(key: number): boolean {
    this.#sketch.add(key)
    const where = this.#lists.where(key)
    const isHit = where !== NOWHERE
    if (isHit) this.#lists.move(where === WINDOW ? WINDOW : PROTECTED, key)
    else this.#lists.move(WINDOW, key)
    this.#demote()
    this.#drainWindow()
    this.#climb(isHit)
    return isHit
  }

  /** What is too much among the protected is on probation again. */
  #demote(): void {
    const most = Math.floor((this.#capacity - this.#windowMost) * PROTECTED_SHARE)
    while (this.#lists.length(PROTECTED) > most) this.#lists.move(PROBATION, this.#lists.last(PROTECTED))
  }

  #drainWindow(): void {
    while (this.#lists.length(WINDOW) > this.#windowMost) {
      const candidate = this.#lists.last(WINDOW)
      if (this.size > this.#capacity) this.#contest(candidate)
      else this.#lists.move(PROBATION, candidate)
    }
    // A window that has just grown takes its room from the main part.
    if (this.size > this.#capacity) this.#lists.remove(this.#victim())
  }

  /** One of the two goes: the main part's oldest, or who wants its place. */
  #contest(candidate: number): void {
    const victim = this.#victim()
    const isBetter = victim !== candidate && this.#sketch.frequency(candidate) > this.#sketch.frequency(victim)
    this.#lists.remove(isBetter ? victim : candidate)
    if (isBetter) this.#lists.move(PROBATION, candidate)
  }

  #victim(): number {
    for (const list of [PROBATION, PROTECTED]) if (this.#lists.length(list) > 0) return this.#lists.last(list)
    return this.#lists.last(WINDOW)
  }

  #climb(isHit: boolean): void {
    this.#requests++
    if (isHit) this.#hits++
    if (this.#requests < SAMPLE * this.#capacity) return
    const ratio = this.#hits / this.#requests
    const change = ratio - this.#lastRatio
    if (change < 0) this.#step = -this.#step
    const most = Math.max(1, Math.floor(this.#capacity * PROTECTED_SHARE))
    this.#windowMost = Math.min(most, Math.max(1, Math.round(this.#windowMost + this.#step)))
    this.#step =
      Math.abs(change) >= RESTART ? Math.sign(this.#step) * STEP_SHARE * this.#capacity : this.#step * STEP_DECAY
    this.#lastRatio = ratio
    this.#requests = 0
    this.#hits = 0
  }
}

/** Counters of 4 bits for each key of the cache: many, so that keys seldom share one. */
const COUNTERS_PER_KEY = 16
const ROWS = 4
const MOST = 15
/** Requests, as a multiple of the capacity, after which all counters are halved. */
const SAMPLE = 10

/** Odd numbers that spread a key differently in each row. */
const SEEDS = [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f]

/** About how often keys were asked for lately: a count-min sketch whose counters are halved from time to time. */
export class FrequencySketch {
  readonly #counters: Uint8Array
  readonly #mask: number
  readonly #sample: number
  #additions = 0

  constructor(capacity: number) {
    const counters = COUNTERS_PER_KEY * 2 ** Math.ceil(Math.log2(Math.max(capacity, 8)))
    this.#counters = new Uint8Array(counters)
    this.#mask = counters - 1
    this.#sample = SAMPLE * capacity
  }

  frequency(key: number): number {
    let least = MOST
    for (let row = 0; row < ROWS; row++) least = Math.min(least, this.#counters[this.#at(key, row)]!)
    return least
  }

  add(key: number): void {
    let isAdded = false
    for (let row = 0; row < ROWS; row++) {
      const at = this.#at(key, row)
      if (this.#counters[at]! === MOST) continue
      this.#counters[at]!++
      isAdded = true
    }
    if (isAdded && ++this.#additions >= this.#sample) this.#age()
  }

  #at(key: number, row: number): number {
    let hash = Math.imul(key + 1, SEEDS[row]!)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    return (hash ^ (hash >>> 13)) & this.#mask
  }

  #age(): void {
    for (let at = 0; at < this.#counters.length; at++) this.#counters[at]! >>= 1
    this.#additions >>= 1
  }
}

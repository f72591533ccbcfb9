import type { JobRecord, Place } from './record.ts'

/**
 * Jobs in an order, as a binary heap.
 *
 * A job leaves by having its place emptied; empty places fall out when they come to the front, or when they are the greater part of the heap.
 */
export class Line {
  #heap: Place[] = []
  #empty = 0
  readonly #isBefore: (a: Place, b: Place) => boolean

  /** @param isBefore a total order */
  constructor(isBefore: (a: Place, b: Place) => boolean) {
    this.#isBefore = isBefore
  }

  add(place: Place): void {
    this.#heap.push(place)
    this.#rise(this.#heap.length - 1)
  }

  /** Takes a job out of wherever it stands. */
  leave(record: JobRecord): void {
    if (!record.place) return
    record.place.record = undefined
    record.place = undefined
    if (++this.#empty > 64 && this.#empty > this.#heap.length / 2) this.#sweep()
  }

  /** The first job. */
  first(): JobRecord | undefined {
    while (this.#heap[0] && !this.#heap[0].record) {
      this.#pop()
      this.#empty--
    }
    return this.#heap[0]?.record
  }

  /** Takes the first job out, but leaves it its place, so that it can be put back by `add`. */
  shift(): JobRecord | undefined {
    const record = this.first()
    if (record) this.#pop()
    return record
  }

  #sweep(): void {
    const kept = this.#heap.filter((place) => place.record)
    this.#heap = []
    this.#empty = 0
    for (const place of kept) this.add(place)
  }

  #pop(): void {
    const last = this.#heap.pop()!
    if (this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink(0)
  }

  #rise(index: number): void {
    const heap = this.#heap
    while (index > 0) {
      const above = (index - 1) >> 1
      if (!this.#isBefore(heap[index]!, heap[above]!)) return
      this.#swap(index, above)
      index = above
    }
  }

  #sink(index: number): void {
    const heap = this.#heap
    for (;;) {
      let first = index
      for (const below of [2 * index + 1, 2 * index + 2])
        if (below < heap.length && this.#isBefore(heap[below]!, heap[first]!)) first = below
      if (first === index) return
      this.#swap(index, first)
      index = first
    }
  }

  #swap(a: number, b: number): void {
    const heap = this.#heap
    const moved = heap[a]!
    heap[a] = heap[b]!
    heap[b] = moved
  }
}

/** By priority, turn of the key, age, arrival. */
export function isServedBefore(a: Place, b: Place): boolean {
  if (a.priority !== b.priority) return a.priority < b.priority
  if (a.turn !== b.turn) return a.turn < b.turn
  return a.since !== b.since ? a.since < b.since : a.arrival < b.arrival
}

/** By the moment at which it is due, then arrival. */
export function isDueBefore(a: Place, b: Place): boolean {
  return a.since !== b.since ? a.since < b.since : a.arrival < b.arrival
}

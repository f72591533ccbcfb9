import { type History, type Point, type SeriesName, seriesNames } from './series.ts'

/**
 * The last points, in memory that is claimed once and never grows: one column of numbers a series.
 * A missing value is kept as NaN.
 */
export class PointRing {
  readonly #capacity: number
  readonly #at: Float64Array
  readonly #columns: Record<SeriesName, Float64Array>
  #length = 0
  #next = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#at = new Float64Array(capacity)
    this.#columns = eachSeries(() => new Float64Array(capacity))
  }

  /**
   * Adds the newest point; the oldest gives way when the ring is full. Times stay in order: what a wall clock
   * that was put back has seen already is forgotten.
   */
  push(point: Point): void {
    while (this.#length > 0 && this.#at[this.#slot(this.#length - 1)]! >= point.at) this.#dropLast()
    this.#at[this.#next] = point.at
    for (const name of seriesNames) this.#columns[name][this.#next] = point.values[name] ?? Number.NaN
    this.#next = (this.#next + 1) % this.#capacity
    if (this.#length < this.#capacity) this.#length++
  }

  /** The newest point, or undefined when there is none. */
  last(): Point | undefined {
    if (this.#length === 0) return undefined
    const slot = this.#slot(this.#length - 1)
    return { at: this.#at[slot]!, values: eachSeries((name) => read(this.#columns[name], slot)) }
  }

  /** Every point later than `after` (milliseconds since the Unix epoch), oldest first. */
  since(after: number): History {
    let first = this.#length
    while (first > 0 && this.#at[this.#slot(first - 1)]! > after) first--
    const slots = Array.from({ length: this.#length - first }, (_, index) => this.#slot(first + index))
    return {
      at: slots.map((slot) => this.#at[slot]!),
      series: eachSeries((name) => slots.map((slot) => read(this.#columns[name], slot))),
    }
  }

  #dropLast(): void {
    this.#next = this.#slot(this.#length - 1)
    this.#length--
  }

  /** Where the point of an age lies; 0 is the oldest. */
  #slot(index: number): number {
    return (this.#next - this.#length + index + this.#capacity) % this.#capacity
  }
}

function read(column: Float64Array, slot: number): number | null {
  const value = column[slot]!
  return Number.isNaN(value) ? null : value
}

/** One entry for each series. */
function eachSeries<T>(entry: (name: SeriesName) => T): Record<SeriesName, T> {
  return Object.fromEntries(seriesNames.map((name) => [name, entry(name)])) as Record<SeriesName, T>
}

import { toError } from '@tailwater/core'
import type { SeriesName } from './series.ts'

/** The values of some series. */
export type GaugeReading = Partial<Record<SeriesName, number | null>>

/** Tells the latest reading, at once. */
export type Gauge = () => GaugeReading

/**
 * Makes one gauge of a function that answers now or later.
 *
 * A slow answer must not hold up the second, nor pile up questions: one is under way at a time, and its answer is told
 * from the next sample on, until there is a newer one. After a failure there is no value.
 */
export function createGauge(read: () => GaugeReading | Promise<GaugeReading>, onError: (error: Error) => void): Gauge {
  let asking = false
  let answer: GaugeReading = {}

  function fail(thrown: unknown): void {
    asking = false
    answer = {}
    onError(toError(thrown))
  }

  return () => {
    if (asking) return answer
    try {
      const reading = read()
      if (!(reading instanceof Promise)) return reading
      asking = true
      reading.then((values) => {
        asking = false
        answer = values
      }, fail)
    } catch (error) {
      fail(error)
    }
    return answer
  }
}

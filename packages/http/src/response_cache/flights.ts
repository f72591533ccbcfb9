import type { Clock } from '@tailwater/core'
import type { StoredResponse } from './stored_response.ts'

/** What those who waited get: a response that was stored, nothing, or nothing in time. */
export type Landing = StoredResponse | 'nothing' | 'late'

/** One request to the origin that others wait for. */
export interface Flight {
  /** Ends it: with what was stored, or with nothing, and then one of those who wait asks again. The first call counts. */
  land(stored: StoredResponse | undefined): void
  /** Lets nobody wait for such answers for a while, because this one cannot be kept: waiting one behind the other is worse than asking together. */
  scatter(): void
}

/** A place in a flight, or a flight of one's own, which then must land. */
export type Boarding = { flight: Flight } | { landing(): Promise<Landing> }

/** Requests to the origin under way, one for each key. */
export interface Flights {
  /** Undefined when answers for this key could not be kept lately: then everybody asks alone. */
  board(key: string): Boarding | undefined
}

/** Milliseconds for which requests of a key whose answer could not be kept go out together. */
const SCATTERED_MS = 10_000
/** Keys remembered as such at most. */
const MOST_SCATTERED = 10_000

interface UnderWay {
  readonly landed: Promise<StoredResponse | undefined>
  /** When nobody waits for it any more. */
  readonly overdueAt: number
}

/** @param patience milliseconds that a request waits for another's answer before it asks for itself */
export function createFlights(clock: Clock, patience: number): Flights {
  const underWay = new Map<string, UnderWay>()
  const scattered = new Map<string, number>()

  function isScattered(key: string): boolean {
    const until = scattered.get(key)
    if (until === undefined) return false
    if (until > clock.elapsed()) return true
    scattered.delete(key)
    return false
  }

  function awaited({ landed, overdueAt }: UnderWay): Promise<Landing> {
    return new Promise((resolve) => {
      const cancel = clock.after(Math.max(1, overdueAt - clock.elapsed()), () => resolve('late'))
      void landed.then((stored) => {
        cancel()
        resolve(stored ?? 'nothing')
      })
    })
  }

  function scatter(key: string): void {
    scattered.delete(key)
    scattered.set(key, clock.elapsed() + SCATTERED_MS)
    for (const oldest of scattered.keys()) {
      if (scattered.size <= MOST_SCATTERED) break
      scattered.delete(oldest)
    }
  }

  function takeOff(key: string): Flight {
    const { promise, resolve } = Promise.withResolvers<StoredResponse | undefined>()
    const own = { landed: promise, overdueAt: clock.elapsed() + patience }
    underWay.set(key, own)
    return {
      land(stored) {
        if (underWay.get(key) === own) underWay.delete(key)
        resolve(stored)
      },
      scatter: () => scatter(key),
    }
  }

  return {
    board(key) {
      const other = underWay.get(key)
      // One that is overdue, because its origin hangs, holds nobody up for ever.
      if (other && other.overdueAt > clock.elapsed()) return { landing: () => awaited(other) }
      return isScattered(key) ? undefined : { flight: takeOff(key) }
    },
  }
}

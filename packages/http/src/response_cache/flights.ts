import type { Clock } from '@tailwater/core'
import type { StoredResponse } from './stored_response.ts'

/** One request to the origin that others wait for. */
export interface Flight {
  /** Ends it: with what was stored, or with nothing, and then those who wait ask for themselves. */
  land(stored: StoredResponse | undefined): void
}

/** Requests to the origin under way, one for each key. */
export interface Flights {
  /** The flight to board, or undefined when the caller is to fly: it then must land. */
  board(key: string): { flight: Flight } | { landing: Promise<StoredResponse | undefined> } | undefined
  /** Lets nobody wait for this key's answers for a while: the last one could not be kept, and waiting one behind the other is worse than asking together. */
  scatter(key: string): void
}

/** Milliseconds for which requests of a key whose answer could not be kept go out together. */
const SCATTERED_MS = 10_000
/** Keys remembered as such at most. */
const MOST_SCATTERED = 10_000

/** @param patience milliseconds that a request waits for another's answer before it asks for itself */
export function createFlights(clock: Clock, patience: number): Flights {
  const under = new Map<string, Promise<StoredResponse | undefined>>()
  const scattered = new Map<string, number>()

  function isScattered(key: string): boolean {
    const until = scattered.get(key)
    if (until === undefined) return false
    if (until > clock.elapsed()) return true
    scattered.delete(key)
    return false
  }

  function within(landing: Promise<StoredResponse | undefined>): Promise<StoredResponse | undefined> {
    return new Promise((resolve) => {
      const cancel = clock.after(patience, () => resolve(undefined))
      void landing.then((stored) => {
        cancel()
        resolve(stored)
      })
    })
  }

  return {
    board(key) {
      const landing = under.get(key)
      if (landing) return { landing: within(landing) }
      if (isScattered(key)) return undefined
      const { promise, resolve } = Promise.withResolvers<StoredResponse | undefined>()
      under.set(key, promise)
      return {
        flight: {
          land(stored) {
            if (under.get(key) === promise) under.delete(key)
            resolve(stored)
          },
        },
      }
    },
    scatter(key) {
      scattered.delete(key)
      scattered.set(key, clock.elapsed() + SCATTERED_MS)
      for (const oldest of scattered.keys()) {
        if (scattered.size <= MOST_SCATTERED) break
        scattered.delete(oldest)
      }
    },
  }
}

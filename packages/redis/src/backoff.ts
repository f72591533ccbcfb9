/** Bounds of a pause, in milliseconds. */
export interface BackoffBounds {
  min: number
  max: number
}

/**
 * Milliseconds before the next attempt after so many failures: doubled each time from `min` to `max`, the upper half of it random.
 * All processes lose a server at the same moment; without chance they would all come back at the same moment too.
 */
export function backoff({ min, max }: BackoffBounds, failures: number, random: number = Math.random()): number {
  const full = Math.min(max, min * 2 ** Math.min(30, Math.max(0, failures - 1)))
  return full / 2 + (full / 2) * random
}

/*
 * Scores of available jobs, as lua/ground.ts makes them: the priority, from 128 on, above 45 bits of ticks, of which a millisecond has 16, counted from 2020; of what was given
 * back the plain millisecond, which is below 2^41.
 */
const TICKS = 16
const STEP = 2 ** 45
const GIVEN_BACK = 2 ** 41
const BEGINNING = Date.UTC(2020, 0, 1)

/** Milliseconds since a job became available. */
export function waitedOf(score: number, now: number): number {
  const ticks = score - Math.floor(score / STEP) * STEP
  const since = ticks < GIVEN_BACK ? ticks : Math.floor(ticks / TICKS)
  return Math.max(0, now - BEGINNING - since)
}

/** What a moment is, in words. */
export const MOMENT = 'a date, or milliseconds since the Unix epoch'

/** Milliseconds of the last moment of `Date`. */
const LAST = 8.64e15

/** The nearest moment that stores know: nothing is older than the epoch, and what is past is past. */
export function momentIn(given: Date | number): number {
  return Math.min(Math.max(0, Number(given)), LAST)
}

/** Whether a value is a moment that a calendar has: no store takes what `Date` cannot say. */
export function isMoment(given: unknown): given is Date | number {
  return (typeof given === 'number' || given instanceof Date) && !Number.isNaN(new Date(given).getTime())
}

/** Milliseconds of a hundred years: what is put off further is put off for as long, since no store can count on from there for ever. */
export const LONGEST_DELAY = 3_155_760_000_000

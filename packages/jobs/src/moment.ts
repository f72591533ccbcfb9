/** What a moment is, in words. */
export const MOMENT = 'a date, or milliseconds since the Unix epoch'

/** Whether a value is a moment that a calendar has: no store takes what `Date` cannot say. */
export function isMoment(given: unknown): given is Date | number {
  return (typeof given === 'number' || given instanceof Date) && !Number.isNaN(new Date(given).getTime())
}

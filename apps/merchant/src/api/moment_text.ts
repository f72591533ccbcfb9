/** A moment as a server in UTC writes it, to the millisecond or finer: `2026-11-22 10:30:00.123456+00`. */
const IN_UTC = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3,6}\+00$/

/**
 * Turns the server's text of a `timestamptz` into the form of JSON: `2026-11-22T10:30:00.123Z`.
 *
 * A list reads its moments as texts and not as `Date`s, because making those and writing them out again takes longer than
 * everything else that is done with a row.
 */
export function momentText(text: string): string {
  return IN_UTC.test(text) ? `${text.slice(0, 10)}T${text.slice(11, 23)}Z` : new Date(text).toISOString()
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The only form that senders may make: `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7). */
const IMF_FIXDATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/

/**
 * Milliseconds since the Unix epoch of an HTTP date, or undefined when it is none.
 *
 * The two obsolete forms, which nothing made since 1999 sends, are refused: a condition that cannot be
 * read is ignored, and that is always safe.
 */
export function parseHttpDate(text: string): number | undefined {
  const match = IMF_FIXDATE.exec(text.trim())
  if (!match) return undefined
  const month = MONTHS.indexOf(match[2]!)
  const [day, year, hours, minutes, seconds] = [match[1], match[3], match[4], match[5], match[6]].map(
    Number,
  ) as number[]
  if (month < 0 || day! > 31 || hours! > 23 || minutes! > 59 || seconds! > 60) return undefined
  return Date.UTC(year!, month, day, hours, minutes, seconds)
}

/** The HTTP date of a moment given in milliseconds since the Unix epoch; the part below a second is dropped. */
export function formatHttpDate(moment: number): string {
  return new Date(moment).toUTCString()
}

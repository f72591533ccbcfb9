import { parseHttpDate } from '../http_date.ts'

/** `Thursday, 18-Aug-50 02:01:18 GMT`: RFC 850, obsolete. */
const RFC_850 = /^[A-Z]+day, (\d{2})-([A-Z]{3})-(\d{2}) (\d{2}:\d{2}:\d{2}) GMT$/i
/** `Thu Aug  8 02:01:18 2050`: ANSI C's asctime, obsolete. */
const ASCTIME = /^[A-Z]{3} ([A-Z]{3}) ([ \d]\d) (\d{2}:\d{2}:\d{2}) (\d{4})$/i
const IMF = /^([A-Z]{3}), (\d{2}) ([A-Z]{3}) (\d{4} \d{2}:\d{2}:\d{2}) GMT$/i

/**
 * The moment of `Expires`, `Date` or `Last-Modified` as another server wrote it: all three forms that a recipient must take (RFC 9110, section 5.6.7), in whichever case.
 *
 * @param now a two-digit year more than 50 years ahead of it means the century before
 * @returns milliseconds since the Unix epoch, or undefined when it is no date
 */
export function parseForeignDate(text: string, now: number): number | undefined {
  const trimmed = text.trim()
  const imf = IMF.exec(trimmed)
  if (imf) return fixed(imf[2]!, imf[3]!, imf[4]!)
  const asctime = ASCTIME.exec(trimmed)
  if (asctime) return fixed(asctime[2]!.replace(' ', '0'), asctime[1]!, `${asctime[4]} ${asctime[3]}`)
  const old = RFC_850.exec(trimmed)
  if (!old) return undefined
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + Number(old[3])
  return fixed(old[1]!, old[2]!, `${year > thisYear + 50 ? year - 100 : year} ${old[4]}`)
}

/** Through the strict form, which checks the ranges. The weekday is not compared by anybody. */
function fixed(day: string, month: string, rest: string): number | undefined {
  const name = month[0]!.toUpperCase() + month.slice(1).toLowerCase()
  return parseHttpDate(`Mon, ${day} ${name} ${rest} GMT`)
}

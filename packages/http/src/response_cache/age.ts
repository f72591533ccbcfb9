import { parseForeignDate } from './expiry_date.ts'

/** When a response was asked for and got, in milliseconds since the Unix epoch by this process's clock. */
export interface ResponseTimes {
  readonly requestedAt: number
  readonly receivedAt: number
}

/** Seconds of an `Age` header: those of the first member; undefined when that is no number (RFC 9111, section 5.1). */
export function parseAge(header: string | undefined): number | undefined {
  const first = header?.split(',')[0]?.trim()
  return first !== undefined && /^\d+$/.test(first) ? Math.min(Number(first), 2 ** 31) : undefined
}

/**
 * How old the response was when it came in, in milliseconds (RFC 9111, section 4.2.3): the larger of what its `Date` says by our clock and of its `Age`
 * with the time of the exchange itself.
 */
export function initialAge(
  headers: { date?: string | undefined; age?: string | undefined },
  times: ResponseTimes,
): number {
  const { requestedAt, receivedAt } = times
  const date = headers.date === undefined ? undefined : parseForeignDate(headers.date, receivedAt)
  // A date of whole seconds, read in the middle of one, is no age.
  const apparent = date === undefined ? 0 : Math.max(0, Math.floor(receivedAt / 1_000) * 1_000 - date)
  const corrected = (parseAge(headers.age) ?? 0) * 1_000 + (receivedAt - requestedAt)
  return Math.max(apparent, corrected)
}

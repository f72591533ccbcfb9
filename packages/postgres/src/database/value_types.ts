import pg from 'pg'

/**
 * How values of the server become values of JavaScript, where this differs from the driver.
 *
 * - `int8` is a number while that is exact, and text beyond 2^53, where a number would be another number.
 * - `date` and `timestamp` stay text: they name no instant, and the driver would read them in the process's time zone.
 * - `timestamptz` is a `Date`, `numeric` is text (exact), json is parsed, as in the driver.
 *
 * Given to each connection; the driver's global table, which the user's own code may rely on, is left alone.
 */
export const valueTypes: { getTypeParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown } = {
  getTypeParser(oid, format) {
    const own = format === 'binary' ? undefined : OWN_PARSERS.get(oid)
    return own ?? (pg.types.getTypeParser(oid, format as 'text') as (text: string) => unknown)
  },
}

const INT8 = 20
const INT8_ARRAY = 1016
const DATE = 1082
const DATE_ARRAY = 1182
const TIMESTAMP = 1114
const TIMESTAMP_ARRAY = 1115
const TEXT_ARRAY = 1009

type Nested = string | null | Nested[]

const textArray = (text: string): Nested => pg.types.getTypeParser(TEXT_ARRAY as number, 'text')(text) as Nested
const asText = (text: string): unknown => text

function int8(text: string): number | string {
  const exact = Number(text)
  return Number.isSafeInteger(exact) ? exact : text
}

function int8s(nested: Nested): unknown {
  if (nested === null) return null
  return Array.isArray(nested) ? nested.map(int8s) : int8(nested)
}

const OWN_PARSERS = new Map<number, (text: string) => unknown>([
  [INT8, int8],
  [INT8_ARRAY, (text) => int8s(textArray(text))],
  [DATE, asText],
  [DATE_ARRAY, textArray],
  [TIMESTAMP, asText],
  [TIMESTAMP_ARRAY, textArray],
])

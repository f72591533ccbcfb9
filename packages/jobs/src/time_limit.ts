import { type Duration, duration, type Field, optional } from '@tailwater/core'

/** Milliseconds of a year. */
const LONGEST = 31_536_000_000

const said = optional(duration({ min: 1, max: LONGEST }))

/** How long an attempt may take, in options; undefined for as long as it likes. In whole milliseconds, because that is how stores keep it. */
export const timeLimit: Field<Duration | undefined, number | undefined> = {
  parse(given, path) {
    const ms = said.parse(given, path)
    return ms === undefined ? undefined : Math.ceil(ms)
  },
}

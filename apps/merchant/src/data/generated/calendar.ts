import { drawWeighted } from '../distribution.ts'
import type { Random } from '../random.ts'
import { HOURS, MONTHS, WEEKDAYS } from '../shape.ts'

const DAY = 86_400_000
const HOUR = 3_600_000
/** The shop's growth over one year; what is sold on a day late in the span weighs more. */
const YEARLY_GROWTH = 1.25

const drawHour = drawWeighted(HOURS)

/**
 * Draws `count` moments of the `days` before `end`, ascending, as milliseconds since the epoch.
 *
 * They follow the real shop's months, weekdays and hours; hours are those of Europe/London, whatever the season.
 */
export function generateMoments(random: Random, count: number, end: number, days: number): Float64Array {
  const first = Math.floor(end / DAY) * DAY - days * DAY
  const drawDay = drawWeighted(
    Array.from({ length: days }, (_, at) => [first + at * DAY, weightOf(first + at * DAY, at)] as const),
  )
  const offsets = new Map<number, number>()
  const moments = new Float64Array(count)
  for (let at = 0; at < count; at++) {
    const day = drawDay(random)
    if (!offsets.has(day)) offsets.set(day, londonOffset(day))
    moments[at] = day - offsets.get(day)! + drawHour(random) * HOUR + random.integer(3_600) * 1_000
  }
  return moments.sort()
}

function weightOf(day: number, at: number): number {
  const date = new Date(day)
  return MONTHS[date.getUTCMonth()]! * WEEKDAYS[date.getUTCDay()]! * YEARLY_GROWTH ** (at / 365)
}

const londonHour = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', hour: 'numeric', hourCycle: 'h23' })

/** How far London is ahead of UTC at noon of a day; the clock changes at night, and the shop sells by day. */
function londonOffset(day: number): number {
  return (Number(londonHour.format(day + 12 * HOUR)) - 12) * HOUR
}

/** A number and its unit, apart, so that the unit can be set smaller. */
export interface Quantity {
  text: string
  unit: string
}

/** What is shown where there is no value. */
export const NOTHING = '–'

/** How one kind of value is written. */
export type Format = (value: number) => Quantity

/** Three significant digits at most, and no more than two decimals: `0.25`, `3.1`, `812`, `1,204`. */
function short(value: number): string {
  const size = Math.abs(value)
  const digits = size === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2
  return Number(value.toFixed(digits)).toLocaleString('en-GB')
}

function thousands(value: number, unit: string): Quantity {
  if (value >= 1e6) return { text: short(value / 1e6), unit: `M${unit}` }
  if (value >= 1e4) return { text: short(value / 1e3), unit: `k${unit}` }
  return { text: short(value), unit }
}

/** Events per second. A second is measured to the millisecond and counts to one part in a hundred: more digits would be noise. */
export const perSecond: Format = (value) =>
  thousands(value >= 10 ? Math.round(value) : Math.round(value * 10) / 10, '/s')

/** Things counted one by one. */
export const count: Format = (value) => thousands(Math.round(value), '')

/** A ratio of 0 to 1 as percent; all of them is only written when it is all of them. */
export const percent: Format = (value) => {
  const hundredth = value * 100
  const shown = value < 1 && hundredth >= 99.95 ? 99.9 : hundredth
  return { text: shown === 100 || shown === 0 ? String(shown) : shown.toFixed(shown < 10 ? 2 : 1), unit: '%' }
}

/** Milliseconds, as seconds from one second on. */
export const milliseconds: Format = (value) =>
  value >= 1_000 ? { text: short(value / 1_000), unit: 's' } : { text: short(value), unit: 'ms' }

/** Bytes in units of 1,024. */
export const bytes: Format = (value) => {
  const steps = ['B', 'kB', 'MB', 'GB']
  const step = Math.min(steps.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(value, 1)) / 10)))
  return { text: short(value / 1_024 ** step), unit: steps[step]! }
}

/** Number and unit in one text. */
export function written(format: Format, value: number | null | undefined): string {
  if (value == null) return NOTHING
  const { text, unit } = format(value)
  return unit.startsWith('/') || unit === '' ? `${text}${unit}` : `${text} ${unit}`
}

const clockTime = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const utcTime = new Intl.DateTimeFormat('en-GB', {
  day: '2-digit',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  timeZone: 'UTC',
})

/** Time of day where the reader is. */
export function localTime(at: number): string {
  return clockTime.format(at)
}

/** Day and time in UTC. */
export function universalTime(at: number): string {
  return `${utcTime.format(at)} UTC`
}

/** How long something has lasted: `3 d 4 h`, `12 min`. */
export function age(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  const hours = Math.floor((seconds % 86_400) / 3_600)
  const minutes = Math.floor((seconds % 3_600) / 60)
  if (days > 0) return `${days} d ${hours} h`
  if (hours > 0) return `${hours} h ${minutes} min`
  return minutes > 0 ? `${minutes} min` : `${Math.floor(seconds)} s`
}

import type { History, Point, SeriesName } from '@tailwater/telemetry'

/** Milliseconds kept: the longest range that can be chosen. */
const KEPT_MS = 3_600_000

/** The last hour as charts want it: one column of times, one column of values a series, oldest first. */
export interface Window {
  readonly at: readonly number[]
  readonly series: Readonly<Partial<Record<SeriesName, readonly (number | null)[]>>>
}

/** A window in which nothing was seen yet. */
export const emptyWindow: Window = { at: [], series: {} }

/** The window with one more point; what is older than an hour falls out, some minutes at a time. */
export function withPoint(given: Window, point: Point): Window {
  const window = until(given, point.at)
  // Trimming copies every column, so it is done once a minute and not once a second.
  const surplus = window.at[0] !== undefined && point.at - window.at[0] > KEPT_MS + 60_000
  const first = surplus ? window.at.findIndex((at) => at >= point.at - KEPT_MS) : 0
  const series: Record<string, readonly (number | null)[]> = {}
  for (const [name, value] of Object.entries(point.values)) {
    const column = window.series[name as SeriesName]
    series[name] = [...(column ? column.slice(first) : new Array<null>(window.at.length - first).fill(null)), value]
  }
  return { at: [...window.at.slice(first), point.at], series: series as Window['series'] }
}

/** The window without what is not before a time: a server's clock may be put back. */
function until(window: Window, end: number): Window {
  if ((window.at.at(-1) ?? 0) < end) return window
  const kept = window.at.findIndex((at) => at >= end)
  const series = Object.entries(window.series).map(([name, column]) => [name, column.slice(0, kept)])
  return { at: window.at.slice(0, kept), series: Object.fromEntries(series) as Window['series'] }
}

/** The window with a history put in front, between or behind: the history replaces what it overlaps. */
export function withHistory(window: Window, history: History): Window {
  const from = history.at[0]
  const until = history.at.at(-1)
  if (from === undefined || until === undefined) return window
  const before = window.at.findIndex((at) => at >= from)
  const head = before === -1 ? window.at.length : before
  const behind = window.at.findIndex((at) => at > until)
  const tail = behind === -1 ? window.at.length : behind
  const join = <T>(ours: readonly T[], theirs: readonly T[]) => [...ours.slice(0, head), ...theirs, ...ours.slice(tail)]
  const series: Record<string, readonly (number | null)[]> = {}
  for (const [name, column] of Object.entries(history.series))
    series[name] = join(window.series[name as SeriesName] ?? new Array<null>(window.at.length).fill(null), column)
  return { at: join(window.at, history.at), series: series as Window['series'] }
}

/** The newest value of a series. */
export function latest(window: Window, name: SeriesName): number | null {
  return window.series[name]?.at(-1) ?? null
}

/** Where the last `ms` milliseconds begin. */
export function firstWithin(window: Window, ms: number): number {
  const newest = window.at.at(-1)
  if (newest === undefined) return 0
  let low = 0
  let high = window.at.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (window.at[middle]! < newest - ms) low = middle + 1
    else high = middle
  }
  return low
}

import type { SeriesName } from '@tailwater/telemetry'
import { bytes, count, type Format, milliseconds, percent, perSecond } from '../format.ts'
import { firstWithin, type Window } from '../live/window.ts'
import type { Hue } from './palette.ts'

/** A column of a chart's values. */
export type Column = readonly (number | null)[]

/** One line of a chart. */
export interface Line {
  label: string
  hue: Hue
  format: Format
  /** The columns it is made of, in the order that `combine` takes them; usually one. */
  from: readonly SeriesName[]
  combine?: (values: readonly number[]) => number
  /** Filled down to zero. */
  filled?: boolean
  /** On an axis of its own at the right. */
  right?: boolean
  /** Its axis is cut at multiples of powers of two. */
  binary?: boolean
}

/** One chart: what it shows and how. */
export interface ChartDefinition {
  id: string
  title: string
  /** What is meant, in a few words beside the title. */
  note: string
  /** Shown instead of an empty chart. */
  empty: string
  lines: readonly Line[]
  /** The axis reaches at least so far, so that noise does not look like news. */
  atLeast: number
  atLeastRight?: number
  /** The axis never reaches farther: 1 for ratios. */
  atMost?: number
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** The charts of the overview, in order. */
export const charts: readonly ChartDefinition[] = [
  {
    id: 'requests',
    title: 'Requests',
    note: 'answered, per second',
    empty: 'No requests yet. They show up here within a second.',
    atLeast: 5,
    lines: [
      { label: 'Requests', hue: 'requests', format: perSecond, from: ['http.requests'], filled: true },
      { label: 'Errors (5xx)', hue: 'errors', format: perSecond, from: ['http.errors'], filled: true },
    ],
  },
  {
    id: 'latency',
    title: 'Latency',
    note: 'time to answer, over 10 s',
    empty: 'No requests to time yet.',
    atLeast: 5,
    lines: [
      { label: 'p50', hue: 'p50', format: milliseconds, from: ['http.p50'] },
      { label: 'p95', hue: 'p95', format: milliseconds, from: ['http.p95'], filled: true },
      { label: 'p99', hue: 'p99', format: milliseconds, from: ['http.p99'] },
    ],
  },
  {
    id: 'cache',
    title: 'Cache',
    note: 'hits of all look-ups, over 10 s',
    empty: 'Nothing was looked up in a cache yet.',
    atLeast: 1,
    atMost: 1,
    atLeastRight: 5,
    lines: [
      { label: 'Hit ratio', hue: 'hitRatio', format: percent, from: ['cache.hitRatio'] },
      {
        label: 'Look-ups',
        hue: 'lookups',
        format: perSecond,
        from: ['cache.hits', 'cache.misses'],
        combine: sum,
        right: true,
        filled: true,
      },
    ],
  },
  {
    id: 'jobs',
    title: 'Jobs',
    note: 'in the queue now, and done per second',
    empty: 'No jobs yet.',
    atLeast: 5,
    atLeastRight: 5,
    lines: [
      { label: 'Waiting', hue: 'waiting', format: count, from: ['jobs.waiting'], filled: true },
      { label: 'Running', hue: 'running', format: count, from: ['jobs.running'] },
      { label: 'Done', hue: 'completed', format: perSecond, from: ['jobs.completed'], right: true },
      { label: 'Failed', hue: 'failed', format: perSecond, from: ['jobs.failed'], right: true },
    ],
  },
  {
    id: 'database',
    title: 'PostgreSQL connections',
    note: 'of this process',
    empty: 'No connection to PostgreSQL yet.',
    atLeast: 5,
    lines: [
      { label: 'Open', hue: 'open', format: count, from: ['database.open'], filled: true },
      {
        label: 'Busy',
        hue: 'busy',
        format: count,
        from: ['database.open', 'database.idle'],
        combine: ([open = 0, idle = 0]) => Math.max(0, open - idle),
        filled: true,
      },
      { label: 'Waiting', hue: 'errors', format: count, from: ['database.waiting'] },
    ],
  },
  {
    id: 'process',
    title: 'Process',
    note: 'processor, event loop and memory',
    empty: 'Nothing measured yet.',
    atLeast: 1,
    atLeastRight: 64 * 1_048_576,
    lines: [
      { label: 'CPU', hue: 'cpu', format: percent, from: ['runtime.cpu'], filled: true },
      { label: 'Event loop', hue: 'loop', format: percent, from: ['runtime.eventLoopUtilisation'] },
      { label: 'Memory', hue: 'lookups', format: bytes, from: ['runtime.rss'], right: true, binary: true },
    ],
  },
]

/** A chart's numbers: times, and one column a line. */
export interface ChartData {
  at: readonly number[]
  columns: readonly Column[]
}

/** What a chart shows of the last `ms` milliseconds of a window. */
export function chartData(definition: ChartDefinition, window: Window, ms: number): ChartData {
  const first = firstWithin(window, ms)
  return {
    at: window.at.slice(first),
    columns: definition.lines.map((line) => columnOf(line, window, first)),
  }
}

function columnOf({ from, combine }: Line, window: Window, first: number): Column {
  const parts = from.map((name) => window.series[name]?.slice(first) ?? [])
  const [only = []] = parts
  if (!combine) return only
  return only.map((_, index) => {
    const values = parts.map((part) => part[index])
    return values.some((value) => value == null) ? null : combine(values as number[])
  })
}

/** Whether a chart has anything to show; a line along the bottom is nothing. */
export function hasData({ columns }: ChartData): boolean {
  return columns.some((column) => column.some((value) => value !== null && value !== 0))
}

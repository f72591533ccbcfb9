import type uPlot from 'uplot'
import { count, type Quantity } from '../format.ts'
import type { ChartDefinition, Line } from './chart_definition.ts'
import { colorOf, inkOf, type Scheme } from './palette.ts'

/** Everything that hovers together. */
const SYNC_KEY = 'overview'
/** From 1 MiB to 1 TiB. */
const POWERS_OF_TWO = Array.from({ length: 21 }, (_, power) => 2 ** (20 + power))
/** 1, 2, 5, 10 and so on: there are no half connections. */
const WHOLE_STEPS = Array.from({ length: 9 }, (_, power) => [1, 2, 5].map((step) => step * 10 ** power)).flat()
/** Farthest that a point may be from the cursor, in pixels. */
const REACH = 24
const FONT = '11px system-ui, sans-serif'

/** What the chart around a plot must be told. */
export interface PlotEvents {
  /** The point under the cursor, or undefined when it has left. */
  onHover(index: number | undefined): void
  /** Begin and end of the time axis, in seconds since the Unix epoch. */
  range(): [number, number]
}

/** uPlot's options for one of our charts. */
export function plotOptions(
  definition: ChartDefinition,
  scheme: Scheme,
  size: { width: number; height: number },
  events: PlotEvents,
): uPlot.Options {
  const left = definition.lines.find((line) => !line.right)!
  const right = definition.lines.find((line) => line.right)
  return {
    ...size,
    padding: [8, right ? 0 : 26, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: SYNC_KEY, setSeries: false },
      points: { size: 7 },
      hover: { prox: REACH },
      drag: { x: false, y: false },
      y: false,
    },
    scales: {
      x: { time: true, range: () => events.range() },
      y: { range: (_, __, max) => [0, top(max, definition.atLeast, definition.atMost)] },
      ...(right
        ? {
            right: {
              range: (_: uPlot, __: number, max: number): [number, number] => [
                0,
                top(max, definition.atLeastRight ?? 1),
              ],
            },
          }
        : {}),
    },
    axes: [timeAxis(scheme), valueAxis('y', left, scheme), ...(right ? [valueAxis('right', right, scheme)] : [])],
    series: [{}, ...definition.lines.map((line) => lineSeries(line, scheme))],
    hooks: { setCursor: [(plot) => events.onHover(pointedAt(plot))] },
  }
}

/** The point under the cursor, if there is one within reach. */
function pointedAt({ cursor, data, valToPos }: uPlot): number | undefined {
  const { idx, left } = cursor
  const at = idx == null ? undefined : data[0][idx]
  if (idx == null || at === undefined || left === undefined || left < 0) return undefined
  return Math.abs(valToPos(at, 'x') - left) <= REACH ? idx : undefined
}

/** A little air above the highest value; `max` is null as long as there is none. */
function top(max: number | null, atLeast: number, atMost = Number.POSITIVE_INFINITY): number {
  return Math.min(Math.max((max ?? 0) * 1.12, atLeast), atMost)
}

function lineSeries(line: Line, scheme: Scheme): uPlot.Series {
  const stroke = colorOf(line.hue, scheme)
  return {
    label: line.label,
    scale: line.right ? 'right' : 'y',
    stroke,
    width: line.right ? 1 : 1.5,
    ...(line.filled ? { fill: `${stroke}${scheme === 'light' ? '1c' : '24'}` } : {}),
    points: { show: false },
    spanGaps: false,
  }
}

function timeAxis(scheme: Scheme): uPlot.Axis {
  const { grid, text } = inkOf(scheme)
  const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
  const short = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
  return {
    stroke: text,
    font: FONT,
    size: 24,
    gap: 4,
    space: 72,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    values: (_, splits, __, ___, increment) =>
      splits.map((second) => (increment < 60 ? clock : short).format(second * 1_000)),
  }
}

function valueAxis(scale: 'y' | 'right', { format, binary }: Line, scheme: Scheme): uPlot.Axis {
  const { grid, text } = inkOf(scheme)
  const isRight = scale === 'right'
  return {
    scale,
    side: isRight ? 1 : 3,
    stroke: text,
    font: FONT,
    size: 54,
    ...(binary ? { incrs: POWERS_OF_TWO } : format === count ? { incrs: WHOLE_STEPS } : {}),
    gap: 6,
    space: 34,
    grid: isRight ? { show: false } : { stroke: grid, width: 1 },
    ticks: { show: false },
    values: (_, splits) => axisLabels(splits.map((value) => format(value))),
  }
}

/** Short: `75 %` where a value is written `75.0 %`. */
function axisLabels(quantities: readonly Quantity[]): string[] {
  return quantities.map(({ text, unit }) => {
    const short = text.replace(/\.0+$/, '')
    return unit === '' || unit.startsWith('/') ? `${short}${unit}` : `${short} ${unit}`
  })
}

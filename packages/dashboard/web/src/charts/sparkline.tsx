import type { Column } from './chart_definition.ts'

const WIDTH = 120
const HEIGHT = 32

/** The last minute of a series, without axes: only its shape. The tile beside it says the number. */
export function Sparkline({ values, color, atLeast }: { values: Column; color: string; atLeast: number }) {
  const highest = values.reduce<number>((most, value) => Math.max(most, value ?? 0), atLeast)
  const step = WIDTH / 59
  const offset = WIDTH - (values.length - 1) * step
  const points = values
    .map((value, index) =>
      value === null
        ? undefined
        : `${round(offset + index * step)},${round(HEIGHT - 1 - (value / highest) * (HEIGHT - 4))}`,
    )
    .filter((point) => point !== undefined)
  if (points.length < 2) return <svg className="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true" />
  const first = points[0]!.split(',')[0]
  const last = points.at(-1)!.split(',')[0]
  return (
    <svg className="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <polygon points={`${first},${HEIGHT} ${points.join(' ')} ${last},${HEIGHT}`} fill={color} opacity="0.14" />
      <polyline
        points={points.join(' ')}
        fill="none"
        stroke={color}
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  )
}

const round = (value: number) => Math.round(value * 10) / 10

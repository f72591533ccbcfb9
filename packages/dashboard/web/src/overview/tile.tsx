import type { ReactNode } from 'react'
import type { Column } from '../charts/chart_definition.ts'
import { Sparkline } from '../charts/sparkline.tsx'
import { type Format, NOTHING } from '../format.ts'

/** How a value should be taken. */
export type Mood = 'calm' | 'warning' | 'bad'

/** One number that matters, what stands beside it, and the shape of its last minute. */
export interface TileContent {
  id: string
  label: string
  value: number | null
  format: Format
  /** A word that says what the colour says. */
  verdict?: string | undefined
  mood?: Mood
  color: string
  values: Column
  /** The sparkline reaches at least so far. */
  atLeast: number
  details: readonly { label: string; text: string }[]
}

/** Draws one tile. */
export function Tile({
  id,
  label,
  value,
  format,
  verdict,
  mood = 'calm',
  color,
  values,
  atLeast,
  details,
}: TileContent): ReactNode {
  const quantity = value === null ? { text: NOTHING, unit: '' } : format(value)
  return (
    <article className="panel tile" data-mood={mood} data-tile={id} aria-labelledby={`tile-${id}`}>
      <h2 id={`tile-${id}`}>{label}</h2>
      <p className="tile-value">
        <span data-value>{quantity.text}</span>
        {quantity.unit && <small>{quantity.unit}</small>}
        {verdict && <em>{verdict}</em>}
      </p>
      <dl className="facts tile-details">
        {details.map((detail) => (
          <div key={detail.label}>
            <dt>{detail.label}</dt>
            <dd>{detail.text}</dd>
          </div>
        ))}
      </dl>
      <Sparkline values={values} color={color} atLeast={atLeast} />
    </article>
  )
}

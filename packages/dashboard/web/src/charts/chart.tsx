import { ActionIcon } from '@mantine/core'
import { useCallback, useMemo, useState } from 'react'
import { localTime, universalTime, written } from '../format.ts'
import type { Window } from '../live/window.ts'
import { ChartIcon, TableIcon } from '../shell/icons.tsx'
import { type ChartData, type ChartDefinition, chartData, hasData } from './chart_definition.ts'
import { ChartTable } from './chart_table.tsx'
import { colorOf, type Scheme } from './palette.ts'
import { Plot } from './plot.tsx'
import { summaryOf } from './summary.ts'

/** How much of the past is shown. */
export interface Range {
  label: string
  /** In full, for sentences. */
  name: string
  ms: number
}

/** A panel with a chart, its values, and the same as a table. */
export function Chart({
  definition,
  window,
  range,
  scheme,
}: {
  definition: ChartDefinition
  window: Window
  range: Range
  scheme: Scheme
}) {
  const [asTable, setAsTable] = useState(false)
  const [hovered, setHovered] = useState<number>()
  const data = useMemo(() => chartData(definition, window, range.ms), [definition, window, range])
  const onHover = useCallback((index: number | undefined) => setHovered(index), [])
  const index = hovered !== undefined && hovered < data.at.length ? hovered : undefined
  return (
    <article className="panel chart" aria-labelledby={`${definition.id}-title`}>
      <header className="chart-head">
        <h2 id={`${definition.id}-title`}>{definition.title}</h2>
        <span className="note">{definition.note}</span>
        {index !== undefined && (
          <time
            className="note-time"
            dateTime={new Date(data.at[index]!).toISOString()}
            title={universalTime(data.at[index]!)}
          >
            {localTime(data.at[index]!)}
          </time>
        )}
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-pressed={asTable}
          aria-label={`${definition.title} as a table`}
          title={asTable ? 'Show the chart' : 'Show as a table'}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? <ChartIcon /> : <TableIcon />}
        </ActionIcon>
      </header>
      <Legend definition={definition} data={data} index={index} scheme={scheme} />
      {asTable ? (
        <ChartTable definition={definition} data={data} range={range.name} />
      ) : (
        <div className="plot-frame" role="img" aria-label={summaryOf(definition, data, range.name)}>
          <Plot definition={definition} data={data} scheme={scheme} rangeMs={range.ms} onHover={onHover} />
          {!hasData(data) && <p className="plot-empty">{definition.empty}</p>}
        </div>
      )}
    </article>
  )
}

/** The lines by name, with their newest value, or the one under the cursor. */
function Legend({
  definition,
  data,
  index,
  scheme,
}: {
  definition: ChartDefinition
  data: ChartData
  index: number | undefined
  scheme: Scheme
}) {
  return (
    <dl className="facts legend">
      {definition.lines.map((line, position) => (
        <div key={line.label}>
          <dt>
            <i className="swatch" style={{ background: colorOf(line.hue, scheme) }} />
            {line.label}
          </dt>
          <dd className="legend-value">
            {written(
              line.format,
              index === undefined ? data.columns[position]!.at(-1) : data.columns[position]![index],
            )}
          </dd>
        </div>
      ))}
    </dl>
  )
}

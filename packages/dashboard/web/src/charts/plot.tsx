import { useEffect, useLayoutEffect, useRef } from 'react'
import uPlot from 'uplot'
import type { ChartData, ChartDefinition } from './chart_definition.ts'
import { drawSoon } from './draw_queue.ts'
import type { Scheme } from './palette.ts'
import { plotOptions } from './plot_options.ts'

/** The canvas of a chart. Hidden from assistive technology: the chart around it says the same in words and as a table. */
export function Plot(props: {
  definition: ChartDefinition
  data: ChartData
  scheme: Scheme
  rangeMs: number
  onHover: (index: number | undefined) => void
}) {
  const { definition, data, scheme, onHover } = props
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef(props)
  latest.current = props

  useLayoutEffect(() => {
    const element = box.current!
    const size = () => ({ width: element.clientWidth, height: element.clientHeight })
    const options = plotOptions(definition, scheme, size(), {
      onHover,
      range: () => timeRange(latest.current.data, latest.current.rangeMs),
    })
    const made = new uPlot(options, aligned(latest.current.data), element)
    plot.current = made
    const resized = new ResizeObserver(() => made.setSize(size()))
    resized.observe(element)
    return () => {
      resized.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [definition, scheme, onHover])

  useEffect(() => drawSoon(() => plot.current?.setData(aligned(data))), [data])

  return <div ref={box} className="plot" aria-hidden="true" />
}

/** Times in seconds, as uPlot counts them. */
function aligned({ at, columns }: ChartData): uPlot.AlignedData {
  return [at.map((ms) => ms / 1_000), ...columns.map((column) => column as (number | null)[])]
}

/** The axis ends at the newest point and is always as long as was chosen, so that time does not stretch while points come in. */
function timeRange({ at }: ChartData, rangeMs: number): [number, number] {
  const end = (at.at(-1) ?? Date.now()) / 1_000
  return [end - rangeMs / 1_000, end]
}

import { written } from '../format.ts'
import type { ChartData, ChartDefinition } from './chart_definition.ts'

/** A chart in a sentence, for those who cannot see it. */
export function summaryOf({ title, lines }: ChartDefinition, { columns }: ChartData, range: string): string {
  const parts = lines.map((line, index) => {
    const values = columns[index]!.filter((value) => value !== null)
    const now = columns[index]!.at(-1)
    if (values.length === 0) return `${line.label}: nothing measured`
    const lowest = values.reduce((least, value) => Math.min(least, value))
    const highest = values.reduce((most, value) => Math.max(most, value))
    return `${line.label}: ${written(line.format, now)} now, ${written(line.format, lowest)} to ${written(line.format, highest)}`
  })
  return `${title}, last ${range}. ${parts.join('. ')}.`
}

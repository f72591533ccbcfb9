import { Table } from '@mantine/core'
import { localTime, universalTime, written } from '../format.ts'
import type { ChartData, ChartDefinition, Column } from './chart_definition.ts'

/** Rows of a table: more would be scrolled past. */
const ROWS = 60

interface Row {
  at: number
  values: (number | null)[]
}

/** A chart's numbers as a table, newest first. Of a long range each row is the mean of several seconds. */
export function ChartTable({
  definition,
  data,
  range,
}: {
  definition: ChartDefinition
  data: ChartData
  range: string
}) {
  const { rows, seconds } = rowsOf(data)
  const caption = `${definition.title}, last ${range}${seconds > 1 ? `, means of ${seconds} s` : ''}`
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section className="chart-table" tabIndex={0} aria-label={caption}>
      <Table stickyHeader captionSide="top" className="numbers">
        <Table.Caption>{caption}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            <Table.Th scope="col">Time</Table.Th>
            {definition.lines.map((line) => (
              <Table.Th scope="col" key={line.label} className="number">
                {line.label}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row) => (
            <Table.Tr key={row.at}>
              <Table.Th scope="row" title={universalTime(row.at)}>
                {localTime(row.at)}
              </Table.Th>
              {row.values.map((value, index) => (
                <Table.Td className="number" key={definition.lines[index]!.label}>
                  {written(definition.lines[index]!.format, value)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  )
}

/** Rows begin at whole multiples of their length, so that they stay as they are while time goes on. */
function rowsOf({ at, columns }: ChartData): { rows: Row[]; seconds: number } {
  const span = at.length === 0 ? 0 : at.at(-1)! - at[0]!
  const seconds = Math.max(1, Math.round(span / 1_000 / ROWS))
  const slot = (index: number) => Math.floor(at[index]! / (seconds * 1_000))
  const rows: Row[] = []
  for (let end = at.length; end > 0; ) {
    let begin = end - 1
    while (begin > 0 && slot(begin - 1) === slot(end - 1)) begin--
    rows.push({ at: at[begin]!, values: columns.map((column) => mean(column, begin, end)) })
    end = begin
  }
  return { rows, seconds }
}

function mean(column: Column, from: number, until: number): number | null {
  const values = column.slice(from, until).filter((value) => value !== null)
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

import { type Measured, type Target, type Verdict, verdictOf } from './row.ts'
import { type Estimate, median, spread } from './statistics.ts'

/** A table for people: medians with their spread, the ratio with its 90 % interval, and whether the target holds. */
export function reportOf(measured: readonly Measured[]): string {
  const head = ['row', 'metric', 'ours', 'theirs', 'ratio (90 %)', 'target', '']
  const lines = measured.map((one) => lineOf(one, verdictOf(one)))
  return [tableOf([head, ...lines]), '', ...measured.map(({ row }) => noteOf(row))].join('\n')
}

function lineOf({ row, target }: Measured, { ratio, level, holds }: Verdict): string[] {
  return [
    row.row,
    row.metric,
    sideOf(row.ours, row.unit),
    row.theirs === null ? '' : sideOf(row.theirs, row.unit),
    target?.kind === 'level' ? `${intervalOf(level)} ${row.unit}` : ratio ? `${intervalOf(ratio)} x` : '',
    target ? targetOf(target, row.unit) : '',
    holds === undefined ? '' : holds ? 'met' : 'MISSED',
  ]
}

function noteOf(row: Measured['row']): string {
  return `${row.row} (${row.metric}) against ${row.peer}: ${row.ours.length} rounds. ${row.checked}`
}

/** `3,412 requests/s ±6 %` */
function sideOf(values: readonly number[], unit: string): string {
  return `${formatNumber(median(values))} ${unit} ±${Math.round(spread(values) * 50)} %`
}

function intervalOf({ value, lower, upper }: Estimate): string {
  return `${formatNumber(value)} (${formatNumber(lower)}–${formatNumber(upper)})`
}

function targetOf(target: Target, unit: string): string {
  if (target.kind === 'level') return `<= ${target.atMost} ${unit}`
  return `>= ${target.atLeast} ${target.kind === 'ratio' ? 'x' : unit}`
}

/** Three digits are more than a machine that others use can promise. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '∞'
  if (value >= 100) return Math.round(value).toLocaleString('en-GB')
  return String(Number(value.toPrecision(3)))
}

function tableOf(lines: readonly string[][]): string {
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

import { type Measured, type Target, type Verdict, verdictOf } from './row.ts'
import { type Estimate, median, spread } from './statistics.ts'

/** A table for people: medians with their spread, the ratio with its 90 % interval, and whether the target holds. */
export function reportOf(measured: readonly Measured[]): string {
  const head = ['row', 'against', 'metric', 'ours', 'theirs', 'ratio (90 %)', 'target', '']
  const lines = measured.map((one) => lineOf(one, verdictOf(one)))
  return [tableOf([head, ...lines]), '', ...measured.map(({ row }) => noteOf(row))].join('\n')
}

function lineOf({ row, target, isLead = target?.kind === 'lead' }: Measured, verdict: Verdict): string[] {
  return [
    row.row,
    row.theirs === null ? '' : row.peer,
    row.metric,
    sideOf(row.ours, row.unit),
    row.theirs === null ? '' : sideOf(row.theirs, row.unit),
    isLead ? leadOf(row.unit, verdict) : outcomeOf(row.unit, target, verdict),
    target ? targetOf(target, row.unit) : '',
    verdict.holds === undefined ? '' : verdict.holds ? 'met' : 'MISSED',
  ]
}

function outcomeOf(unit: string, target: Target | undefined, { ratio, level }: Verdict): string {
  if (target?.kind === 'level') return `${intervalOf(level)} ${unit}`
  return ratio ? `${intervalOf(ratio)} x` : ''
}

function leadOf(unit: string, { lead }: Verdict): string {
  return lead ? `${signed(lead.mean)} ${unit}, worst ${signed(lead.worst)}` : ''
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(2)}`
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
  if (target.kind === 'lead') return `>= ${signed(target.mean)}, worst ${signed(target.worst)}`
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

import type { CopyValue } from './copy_text.ts'

/** The rows of one table, to be copied. */
export interface TableRows {
  table: string
  columns: readonly string[]
  count: number
  /** Makes the rows anew each time. */
  rows(): Iterable<readonly CopyValue[]>
}

/** Thousandths as a decimal. */
export function money(thousandths: number): string {
  return (thousandths / 1_000).toFixed(3)
}

/** A moment, in milliseconds since the epoch, as PostgreSQL reads it. */
export function isoTime(moment: number): string {
  return new Date(moment).toISOString()
}

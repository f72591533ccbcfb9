import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describeMachine } from './machine.ts'
import type { Row } from './row.ts'

/** A dated result, as committed under `bench/results`. */
export interface Result {
  date: string
  machine: string
  versions: Record<string, string>
  rows: Row[]
}

/** Puts rows into the form of a result file; numbers keep six digits, more than any of them is worth. */
export function resultOf(rows: readonly Row[], versions: Record<string, string>, date: Date): Result {
  return {
    date: date.toISOString(),
    machine: describeMachine(),
    versions,
    rows: rows.map((row) => ({ ...row, ours: row.ours.map(shorten), theirs: row.theirs?.map(shorten) ?? null })),
  }
}

/** Writes a result file. */
export function writeResult(file: string, result: Result): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
}

const shorten = (value: number) => Number(value.toPrecision(6))

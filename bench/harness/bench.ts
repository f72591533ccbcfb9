import type { Measured } from './row.ts'

/** What the command line says of how to measure. */
export interface BenchOptions {
  /** Pairs of rounds; each bench knows how many a row needs at least. */
  rounds: number | undefined
  size: 'small' | 'large'
  /** Shortens every round, for trying things out; its figures are worth nothing. */
  quick: boolean
  /** Parts to measure; undefined for all that are measured unasked. */
  only: readonly string[] | undefined
  /** How many, in rows that are about amounts; each has its own unless it is said. */
  amount: number | undefined
  say(line: string): void
}

/** A benchmark: the first word of its rows' codes names it. */
export interface Bench {
  name: string
  /** Parts that can be asked for by name. */
  parts?: readonly string[]
  run(options: BenchOptions): Promise<{ rows: Measured[]; versions: Record<string, string> }>
}

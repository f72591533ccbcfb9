import { type Estimate, estimate, estimateRatio } from './statistics.ts'

/** What one row of docs and result files says: raw numbers of each round, from which a reader computes ratios and verdicts. */
export interface Row {
  /** The row's code: `merchant uncached`. */
  row: string
  peer: string
  /** Which variant, and how: `requests/s, 100 connections`. */
  metric: string
  unit: string
  better: 'higher' | 'lower'
  ours: number[]
  /** Null where there is nobody to compare with. */
  theirs: number[] | null
  settings: { ours: string; theirs: string }
  /** How the run checked its own work. */
  checked: string
}

/** What a row has to show: so many times better than the peer, a level of its own, or a count that every round reaches. */
export type Target =
  | { kind: 'ratio'; atLeast: number }
  | { kind: 'level'; atMost: number }
  | { kind: 'count'; atLeast: number }

/** A measured row, and its target if it has one. */
export interface Measured {
  row: Row
  target?: Target
}

/** What a row amounts to. */
export interface Verdict {
  /** Undefined where there is nobody to compare with. */
  ratio: Estimate | undefined
  /** Of ours alone. */
  level: Estimate
  /** Whether the target holds with the whole of the 90 % interval; undefined without a target. */
  holds: boolean | undefined
}

/** Weighs a row against its target: the worse end of the interval has to meet it. */
export function verdictOf({ row, target }: Measured): Verdict {
  const ratio = row.theirs === null ? undefined : estimateRatio(row.ours, row.theirs, row.better)
  const level = estimate(row.ours)
  if (!target) return { ratio, level, holds: undefined }
  if (target.kind === 'count') return { ratio, level, holds: row.ours.every((count) => count >= target.atLeast) }
  if (target.kind === 'level') return { ratio, level, holds: level.upper <= target.atMost }
  return { ratio, level, holds: ratio !== undefined && ratio.lower >= target.atLeast }
}

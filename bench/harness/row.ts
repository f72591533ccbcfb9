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

/**
 * What a row has to show: so many times better than the peer; a level of its own; a count that every round reaches; or so far ahead of the peer, in the
 * row's unit, on the mean of its figures and at the worst of them.
 */
export type Target =
  | { kind: 'ratio'; atLeast: number }
  | { kind: 'level'; atMost: number }
  | { kind: 'count'; atLeast: number }
  | { kind: 'lead'; mean: number; worst: number }

/** A measured row, and its target if it has one. */
export interface Measured {
  row: Row
  target?: Target
  /** Shown as differences though it has no target of that kind. */
  isLead?: boolean
}

/** Differences of figures that belong to each other, positive where ours is better. */
export interface Lead {
  mean: number
  worst: number
}

/** What a row amounts to. */
export interface Verdict {
  /** Undefined where there is nobody to compare with. */
  ratio: Estimate | undefined
  /** Of ours alone. */
  level: Estimate
  /** How far ours is ahead, figure by figure; undefined where there is nobody to compare with. */
  lead: Lead | undefined
  /** Whether the target holds with the whole of the 90 % interval; undefined without a target. */
  holds: boolean | undefined
}

/** Weighs a row against its target: the worse end of the interval has to meet it. A lead is of figures that are the same each time, and has no interval. */
export function verdictOf({ row, target }: Measured): Verdict {
  const ratio = row.theirs === null ? undefined : estimateRatio(row.ours, row.theirs, row.better)
  const lead = row.theirs === null ? undefined : leadOf(row.ours, row.theirs, row.better)
  const level = estimate(row.ours)
  return { ratio, level, lead, holds: target && isMet(target, row, { ratio, level, lead }) }
}

function isMet(target: Target, row: Row, { ratio, level, lead }: Omit<Verdict, 'holds'>): boolean {
  if (target.kind === 'level') return level.upper <= target.atMost
  if (target.kind === 'count') return row.ours.every((count) => count >= target.atLeast)
  if (target.kind === 'ratio') return ratio !== undefined && ratio.lower >= target.atLeast
  return lead !== undefined && lead.mean >= target.mean && lead.worst >= target.worst
}

function leadOf(ours: readonly number[], theirs: readonly number[], better: Row['better']): Lead {
  const leads = ours.map((own, at) => (better === 'higher' ? own - theirs[at]! : theirs[at]! - own))
  return { mean: leads.reduce((total, one) => total + one, 0) / leads.length, worst: Math.min(...leads) }
}

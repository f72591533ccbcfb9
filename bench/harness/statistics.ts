/*
 * How the rounds of two sides become one figure with its uncertainty.
 *
 * Rounds come in pairs, one of each side right after the other, so that a slow minute of the machine slows both. The figure is the
 * geometric mean of the pairs' ratios: of ratios it is the mean that treats twice and half alike. Its interval is Student's t on the
 * logarithms, which are nearer to normal than the ratios; 90 %, two-sided, so that the target lies below it in at most one of twenty.
 */

/** A figure, and the ends of its 90 % interval. */
export interface Estimate {
  value: number
  lower: number
  upper: number
}

/** 95 % quantiles of Student's t by degrees of freedom, from 1; beyond the last one the normal distribution's. */
const T_95 = [
  6.3138, 2.92, 2.3534, 2.1318, 2.015, 1.9432, 1.8946, 1.8595, 1.8331, 1.8125, 1.7959, 1.7823, 1.7709, 1.7613, 1.7531,
  1.7459, 1.7396, 1.7341, 1.7291, 1.7247,
]
const NORMAL_95 = 1.6449

/** The middle value; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The smallest value that at least the share `q` of the values does not exceed (nearest rank). @param sorted ascending, not empty */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]!
}

/** The distance between the largest and the smallest value, as a share of the median. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / median(values)
}

/** The geometric mean of positive values with its 90 % interval; with a single value the interval is everything. */
export function estimate(values: readonly number[]): Estimate {
  const logs = values.map(Math.log)
  const mean = sum(logs) / logs.length
  const halfWidth = logs.length < 2 ? Number.POSITIVE_INFINITY : studentT(logs.length - 1) * standardError(logs, mean)
  return { value: Math.exp(mean), lower: Math.exp(mean - halfWidth), upper: Math.exp(mean + halfWidth) }
}

/**
 * How many times better ours is than theirs, from rounds that were measured in pairs.
 *
 * @throws RangeError when the sides have not the same number of rounds
 */
export function estimateRatio(
  ours: readonly number[],
  theirs: readonly number[],
  better: 'higher' | 'lower',
): Estimate {
  if (ours.length !== theirs.length) throw new RangeError(`${ours.length} rounds of ours, ${theirs.length} of theirs`)
  return estimate(ours.map((own, i) => (better === 'higher' ? own / theirs[i]! : theirs[i]! / own)))
}

function studentT(degrees: number): number {
  return T_95[degrees - 1] ?? NORMAL_95
}

function standardError(values: readonly number[], mean: number): number {
  const variance = sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1)
  return Math.sqrt(variance / values.length)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

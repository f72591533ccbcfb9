import type { Random } from './random.ts'

/** Points of a distribution, ascending: the share of cases at or below, and the value there. */
export type Quantiles = readonly (readonly [share: number, value: number])[]

/** Values with their weights; the weights may be counts. */
export type Weights<T> = readonly (readonly [value: T, weight: number])[]

/** Draws something each time it is called. */
export type Draw<T> = (random: Random) => T

/** Draws a value of a measured distribution; between two points on a straight line of logarithms when both are positive. */
export function drawQuantile(quantiles: Quantiles): Draw<number> {
  return (random) => quantileAt(quantiles, random.next())
}

/** The value below which `share` of the cases lie. */
export function quantileAt(quantiles: Quantiles, share: number): number {
  let at = 1
  while (at < quantiles.length - 1 && quantiles[at]![0] < share) at++
  const [from, low] = quantiles[at - 1]!
  const [to, high] = quantiles[at]!
  const part = Math.min(1, Math.max(0, (share - from) / (to - from)))
  return low > 0 && high > 0 ? low * (high / low) ** part : low + (high - low) * part
}

/** Draws one of a few values by weight. */
export function drawWeighted<T>(weights: Weights<T>): Draw<T> {
  const sums: number[] = []
  let sum = 0
  for (const [, weight] of weights) {
    sum += weight
    sums.push(sum)
  }
  return (random) => weights[firstAtLeast(sums, random.next() * sum)]![0]
}

/** Position of the first of ascending `sums` that exceeds `value`; the last when none does. */
function firstAtLeast(sums: readonly number[], value: number): number {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sums[middle]! > value) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * Draws a rank in [0, size) where few ranks take most draws.
 *
 * @param concentration by share of the ranks, best first, the share of all draws they take together: `[0.1, 0.4464]`
 * says that the best tenth takes 44.64 %
 */
export function drawRank(concentration: Quantiles): (random: Random, size: number) => number {
  const inverse: Quantiles = [[0, 0], ...concentration.map(([ranks, draws]) => [draws, ranks] as const)]
  return (random, size) => Math.min(size - 1, Math.floor(quantileLinear(inverse, random.next()) * size))
}

/** Within a bracket every rank is as likely: shares of ranks are not spread by logarithm. */
function quantileLinear(quantiles: Quantiles, share: number): number {
  let at = 1
  while (at < quantiles.length - 1 && quantiles[at]![0] < share) at++
  const [from, low] = quantiles[at - 1]!
  const [to, high] = quantiles[at]!
  return low + ((high - low) * (share - from)) / (to - from)
}

/**
 * Shares out `total` whole pieces by weight so that the sum is exact: each gets the difference of two
 * rounded running sums, within one of its fair share.
 */
export function shareOut(total: number, weights: ArrayLike<number>): Int32Array {
  let sum = 0
  for (let at = 0; at < weights.length; at++) sum += weights[at]!
  const shares = new Int32Array(weights.length)
  let running = 0
  let given = 0
  for (let at = 0; at < weights.length; at++) {
    running += weights[at]!
    const upTo = at === weights.length - 1 ? total : Math.floor((total * running) / sum)
    shares[at] = upTo - given
    given = upTo
  }
  return shares
}

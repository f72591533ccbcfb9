/*
 * A histogram of durations that can be added to another one.
 *
 * Problem: percentiles of many processes cannot be averaged, and keeping every duration costs memory as traffic grows. Each process counts into buckets, the store adds the
 * counts up, and percentiles are read from the sum.
 *
 * Method: buckets as wide as an eighth of a doubling, from 2^-4 ms (60 µs) to 2^32 ms (7 weeks), 288 in all. A percentile is answered with the geometric mean of its bucket's
 * bounds, which is at most 4.4 % off; what lies outside counts in the first or the last bucket. Only buckets that counted something are sent and stored.
 */

const PER_DOUBLING = 8
/** Exponents of two, of milliseconds. */
const [LEAST, MOST] = [-4, 32]
/** Number of buckets. */
export const BUCKETS = (MOST - LEAST) * PER_DOUBLING

/** Percentiles of durations in milliseconds, within 4.4 %. */
export interface Percentiles {
  /** Durations that were counted. */
  count: number
  p50: number
  p95: number
  p99: number
}

/** How many durations fell into a bucket. */
export type BucketCount = readonly [bucket: number, count: number]

/** The bucket of a duration. @param ms milliseconds */
export function bucketOf(ms: number): number {
  if (!(ms > 2 ** LEAST)) return 0
  return Math.min(BUCKETS - 1, Math.floor((Math.log2(ms) - LEAST) * PER_DOUBLING))
}

/** Counts that stand at their bucket's place, without the empty ones. */
export function countsIn(buckets: Readonly<Uint32Array>): BucketCount[] {
  const counts: BucketCount[] = []
  for (const [bucket, count] of buckets.entries()) if (count > 0) counts.push([bucket, count])
  return counts
}

/** One count for each bucket, in their order. */
export function summed(counts: Iterable<BucketCount>): BucketCount[] {
  const sums = new Map<number, number>()
  for (const [bucket, count] of counts) sums.set(bucket, (sums.get(bucket) ?? 0) + count)
  return [...sums].sort(([a], [b]) => a - b)
}

/** Percentiles of counts, of which several may be of one bucket; undefined when nothing was counted. */
export function percentilesOf(counts: Iterable<BucketCount>): Percentiles | undefined {
  const sorted = summed(counts)
  const total = sorted.reduce((sum, [, count]) => sum + count, 0)
  if (total === 0) return undefined
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => durationAt(sorted, Math.ceil(share * total)))
  return { count: total, p50: p50!, p95: p95!, p99: p99! }
}

/** @param rank from 1 */
function durationAt(sorted: readonly BucketCount[], rank: number): number {
  let seen = 0
  for (const [bucket, count] of sorted) {
    seen += count
    if (seen >= rank) return 2 ** ((bucket + 0.5) / PER_DOUBLING + LEAST)
  }
  throw new RangeError(`there is no duration of rank ${rank}`)
}

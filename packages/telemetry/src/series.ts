/**
 * Every series that is sampled once a second, by name.
 *
 * Counts are per second; percentiles are of the last ten seconds, in milliseconds; ratios and utilisations run from 0 to 1.
 */
export const seriesNames = [
  'http.requests',
  'http.errors',
  'http.p50',
  'http.p95',
  'http.p99',
  'cache.hits',
  'cache.misses',
  'cache.hitRatio',
  'jobs.completed',
  'jobs.failed',
  'jobs.waiting',
  'jobs.running',
  'database.queries',
  'database.p95',
  'database.open',
  'database.idle',
  'database.waiting',
  'runtime.eventLoopDelay',
  'runtime.eventLoopUtilisation',
  'runtime.cpu',
  'runtime.rss',
  'runtime.heapUsed',
] as const

/** Name of one sampled series. */
export type SeriesName = (typeof seriesNames)[number]

/** What was seen in one second; null where there was nothing to measure, such as a percentile of no requests. */
export interface Point {
  /** Milliseconds since the Unix epoch, at the end of the second. */
  at: number
  values: Record<SeriesName, number | null>
}

/** Several seconds by column, oldest first: what a chart wants, at a third of the bytes of a list of points. */
export interface History {
  at: number[]
  series: Record<SeriesName, (number | null)[]>
}

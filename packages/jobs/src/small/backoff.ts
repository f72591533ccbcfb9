/** Wait before the second attempt, in milliseconds. */
const FIRST_WAIT = 1_000
/** Longest wait: an outage of hours is still noticed within ten minutes of its end. */
const LONGEST_WAIT = 600_000

/**
 * Milliseconds to wait after failed attempt number `attempt` (from 1): doubling, with up to a quarter
 * of jitter so that jobs that failed together do not come back together.
 */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const wait = Math.min(FIRST_WAIT * 2 ** (attempt - 1), LONGEST_WAIT)
  return Math.round(wait * (1 + random() * 0.25))
}

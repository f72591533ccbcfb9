/**
 * Generic Cell Rate Algorithm.
 *
 * Problem: admit at most `burst` units at once and `limit` per `period` over time, for very many clients,
 * exactly, with one number a client and no timers.
 *
 * Method: a unit is due every `period / limit` milliseconds (the emission interval T). A client's state is the
 * theoretical arrival time of its next unit (TAT), as if it had kept to that pace. A request of `cost` units at
 * `now` moves it to max(TAT, now) + cost * T, and is admitted if that lies no more than burst * T ahead
 * of `now`; a refused request changes nothing. A client that has been silent long enough has a TAT in the past: it is
 * the same as an unknown one, so its state can be dropped.
 *
 * What follows: in any span of t milliseconds at most burst + t / T units are admitted (a property test checks it).
 * It is the token bucket of size `burst`, stored as a time instead of a count and a time. A fixed window would admit twice
 * the limit around its edge; a log of requests is exact but grows with the limit.
 *
 * Sources: ITU-T I.371 (2004), annex A, "virtual scheduling algorithm"; B. Leach, "Rate Limiting, Cells, and GCRA" (2015).
 */

/** What is admitted. */
export interface Rate {
  /** Units per period. */
  limit: number
  /** Milliseconds. */
  period: number
  /** Units admitted at once after silence. */
  burst: number
}

/** The answer to a request for units. */
export interface RateDecision {
  admitted: boolean
  /** Whole units that would be admitted right now. */
  remaining: number
  /** Milliseconds until one more unit is available than now; 0 with the whole burst there. */
  nextAfter: number
  /** Milliseconds until the refused request could be admitted; 0 when it was. Infinity if it asks for more than the burst. */
  retryAfter: number
}

/**
 * Decides one request.
 *
 * @param tat theoretical arrival time of the client, or undefined for an unknown one; milliseconds on the clock of `now`
 * @returns the decision, and the new TAT to keep if it was admitted
 */
export function decide(
  rate: Rate,
  tat: number | undefined,
  now: number,
  cost: number,
): { decision: RateDecision; tat: number } {
  const interval = rate.period / rate.limit
  const tolerance = rate.burst * interval
  const start = Math.max(tat ?? now, now)
  const moved = start + cost * interval
  const admitted = moved - now <= tolerance + ROUNDING * interval
  const kept = admitted ? moved : start
  const free = (tolerance - (kept - now)) / interval
  const remaining = Math.max(0, Math.min(rate.burst, Math.floor(free + ROUNDING)))
  const nextAfter = remaining >= rate.burst ? 0 : (remaining + 1 - free) * interval
  const retryAfter = admitted ? 0 : cost > rate.burst ? Number.POSITIVE_INFINITY : moved - tolerance - now
  return { decision: { admitted, remaining, nextAfter, retryAfter }, tat: kept }
}

/** A thousandth of a unit: times are binary fractions, and the last unit of a burst must not be lost to their rounding. It does not add up. */
const ROUNDING = 1e-3

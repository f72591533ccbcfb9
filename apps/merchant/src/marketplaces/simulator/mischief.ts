import { type Clock, sleep } from '@tailwater/core'
import { decide } from '@tailwater/http'
import type { Random } from '../../data/random.ts'

/** How a simulated marketplace behaves; every value can be changed while it runs. */
export interface Mischief {
  /** Milliseconds before each answer. */
  latency: number
  /** Share of the requests that are answered 503, or not at all, from 0 to 1. */
  errorRate: number
  /** Requests a second of one seller; 0 for no limit. */
  rateLimit: number
  /** Orders a minute of its own accord, over both marketplaces. */
  ordersPerMinute: number
}

/** What a marketplace does unless it is told otherwise: the ordinary internet. */
export const ORDINARY: Mischief = { latency: 100, errorRate: 0, rateLimit: 50, ordersPerMinute: 0 }

/** What becomes of a request: answered, answered 503, or its connection cut. */
export type Fate = 'answered' | 'unavailable' | 'cut'

/** Lets time pass, and draws what becomes of a request. */
export async function meetFate({ latency, errorRate }: Mischief, clock: Clock, random: Random): Promise<Fate> {
  if (latency > 0) await sleep(clock, latency)
  if (random.next() >= errorRate) return 'answered'
  return random.next() < 0.5 ? 'unavailable' : 'cut'
}

/** Admits a second's worth of requests at once, and the rate from then on. */
export class RequestBucket {
  readonly #clock: Clock
  #due: number | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Milliseconds until there is a place; 0 when one was taken now. @param rate requests a second, 0 for no limit */
  take(rate: number): number {
    if (rate === 0) return 0
    const { decision, tat } = decide({ limit: rate, period: 1_000, burst: rate }, this.#due, this.#clock.elapsed(), 1)
    this.#due = tat
    return decision.retryAfter
  }
}

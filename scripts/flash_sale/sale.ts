import { setTimeout as pause } from 'node:timers/promises'
import type { Tailwater } from 'tailwater'
import { Counter } from './counter.ts'
import type { Step } from './steps.ts'

/** Seconds of a sale. */
export const SECONDS = 12
/** Shoppers who ask at the same moment, ten times a second, spread over the processes. */
export const AT_ONCE = 40
const MOMENTS = 10
/** Milliseconds between two sales of a piece. */
export const SALE_EVERY = 3_000

/** What came of a sale. */
export interface SaleOutcome {
  shoppers: number
  /** Reads of the database. */
  reads: number
  /** Milliseconds that the pieces in the most outdated answer had been gone when its shopper asked. */
  oldest: number
}

/** Holds a sale. */
export async function holdSale(step: Step, platforms: readonly Tailwater[]): Promise<SaleOutcome> {
  const counter = new Counter(platforms[0]!.database)
  await counter.open()
  for (const { cache } of platforms) await cache.clear()
  const answers = platforms.map((platform) => step.open(platform, counter))
  let shoppers = 0
  let oldest = 0
  const shop = async (answer: () => ReturnType<(typeof answers)[number]>) => {
    const askedAt = performance.now()
    shoppers++
    oldest = Math.max(oldest, counter.age(await answer(), askedAt))
  }

  const begun = performance.now()
  const moments = SECONDS * MOMENTS
  let sales = 0
  for (let moment = 0; moment < moments; moment++) {
    const due = begun + (moment * 1_000) / MOMENTS
    await pause(Math.max(0, due - performance.now()))
    if (due - begun >= (sales + 0.5) * SALE_EVERY) {
      sales++
      await counter.sell(async (tx) => step.tell?.(platforms[sales % platforms.length]!, tx))
    }
    await Promise.all(Array.from({ length: AT_ONCE }, (_, shopper) => shop(answers[shopper % answers.length]!)))
  }
  counter.close()
  return { shoppers, reads: counter.reads, oldest }
}

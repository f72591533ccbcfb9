import { callConcurrently, perSecond } from './payload.ts'

/** How jobs come into a queue of one side. */
export interface Storing {
  /** One call for one job. */
  add(): Promise<unknown>
  /** Stores `count` jobs, `size` of them a call. */
  fill(count: number, size: number): Promise<unknown>
  /** Throws unless so many jobs wait. */
  check(waiting: number): Promise<unknown>
}

/** Measures how fast jobs are stored: jobs in a second, one by one and in bulk. */
export function measureStoring({ add, fill, check }: Storing) {
  async function timed(count: number, store: () => Promise<unknown>): Promise<number> {
    const began = performance.now()
    await store()
    const rate = perSecond(count, began)
    await check(count)
    return rate
  }
  return {
    enqueueSingly: (count: number, callers: number) => timed(count, () => callConcurrently(count, callers, add)),
    enqueueInBulk: (count: number, size: number) => timed(count, () => fill(count, size)),
  }
}

/** A number that is counted down, and a promise of its end. */
export function countdown(count: number): { over: Promise<void>; down(by?: number): void } {
  let left = count
  let resolve = () => {}
  const over = new Promise<void>((done) => {
    resolve = done
  })
  return {
    over,
    down(by = 1) {
      left -= by
      if (left === 0) resolve()
    },
  }
}

import { quantile } from '../harness/statistics.ts'

/** Milliseconds between two jobs. */
const PAUSE = 10

/** Notes delays from the readings of `performance.now()` at which jobs were sent; `seen` is their 99th percentile when all have come. */
export function listener(count: number) {
  const delays: number[] = []
  const seen = Promise.withResolvers<number>()
  const note = (sentAt: number) => {
    delays.push(performance.now() - sentAt)
    if (delays.length < count) return
    delays.sort((a, b) => a - b)
    seen.resolve(quantile(delays, 0.99))
  }
  return { seen: seen.promise, note }
}

/** Calls a hundred times a second, at an even pace, whatever the calls take. */
export async function trickle(count: number, call: () => Promise<unknown>): Promise<void> {
  const calls: Promise<unknown>[] = []
  const began = performance.now()
  for (let sent = 0; sent < count; sent++) {
    const wait = began + sent * PAUSE - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    calls.push(call())
  }
  await Promise.all(calls)
}

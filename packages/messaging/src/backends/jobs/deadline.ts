import type { Clock } from '@tailwater/core'

/** Resolves with the promise, or at the deadline (a reading of `Clock.elapsed`), whichever is first; true if the promise was. */
export function untilDeadline(clock: Clock, deadline: number | undefined, promise: Promise<unknown>): Promise<boolean> {
  const left = (deadline ?? Number.POSITIVE_INFINITY) - clock.elapsed()
  if (left <= 0) return Promise.resolve(false)
  return new Promise((resolve) => {
    const cancel = clock.after(left, () => resolve(false))
    const settled = () => {
      cancel()
      resolve(true)
    }
    promise.then(settled, settled)
  })
}

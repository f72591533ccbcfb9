import type { Clock } from '@tailwater/core'

/** Resolves with the promise, or at the deadline (a reading of `Clock.elapsed`), whichever is first; true if the promise was. */
export function untilDeadline(clock: Clock, deadline: number | undefined, promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(Math.max(0, (deadline ?? Number.POSITIVE_INFINITY) - clock.elapsed()), () =>
      resolve(false),
    )
    const settled = () => {
      cancel()
      resolve(true)
    }
    promise.then(settled, settled)
  })
}

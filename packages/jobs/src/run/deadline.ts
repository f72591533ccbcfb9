import type { Clock } from '@tailwater/core'

/**
 * Waits for work, but not beyond a deadline: then it resolves, and the work goes on unheard.
 *
 * @param deadline a reading of `clock.elapsed`
 */
export function untilDeadline(clock: Clock, deadline: number, work: Promise<void>): Promise<void> {
  if (deadline === Number.POSITIVE_INFINITY) return work
  return new Promise((resolve, reject) => {
    const cancel = clock.after(Math.max(0, deadline - clock.elapsed()), resolve)
    work.then(resolve, reject).finally(cancel)
  })
}

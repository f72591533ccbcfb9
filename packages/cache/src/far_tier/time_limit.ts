import type { Clock } from '@tailwater/core'

/** The far tier did not answer in time. What it was asked for may have been done, or may yet be. */
export class FarTimeout extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`)
  }
}

/** Share of its time by which a timer may be late before the process itself counts as held up. */
const LATE = 1.5

/**
 * The result of `work`, or after `ms` a `FarTimeout`; what `work` comes to then is nobody's concern.
 *
 * A process that was held up finds its timer due and the answer still in the socket: input is looked at before the limit counts, and if the timer is very late, the limit
 * begins anew, once. Otherwise every long computation would look like a store that hangs.
 */
export function within<T>(clock: Clock, ms: number, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const from = clock.elapsed()
    let isExtended = false
    const expire = () => {
      if (isExtended || clock.elapsed() - from <= ms * LATE) return void setImmediate(() => reject(new FarTimeout(ms)))
      isExtended = true
      cancel = clock.after(ms, expire)
    }
    let cancel = clock.after(ms, expire)
    work().then(
      (result) => {
        cancel()
        resolve(result)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}

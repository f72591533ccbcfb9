import type { Clock } from '@tailwater/core'

/** The far tier did not answer in time. What it was asked for may have been done, or may yet be. */
export class FarTimeout extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms} ms`)
  }
}

/** The result of `work`, or after `ms` a `FarTimeout`; what `work` comes to then is nobody's concern. */
export function within<T>(clock: Clock, ms: number, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () => reject(new FarTimeout(ms)))
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

/** Stops a pending timer; calling it twice, or after the timer fired, does nothing. */
export type Cancel = () => void

/**
 * The only source of time.
 *
 * Two readings, because they answer different questions: `now` is wall time, for what is stored
 * or shown, and may step backwards; `elapsed` is monotonic, for durations and deadlines inside
 * one process.
 */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds since an arbitrary start; never goes backwards. */
  elapsed(): number
  /** Runs `task` once, `ms` from now, however long that is; never if it is infinite. A pending timer never keeps the process alive. */
  after(ms: number, task: () => void): Cancel
}

/** Milliseconds of Node's longest timer, 24.8 days: a longer one fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  after(ms, task) {
    let timer: NodeJS.Timeout
    const wait = (left: number) => {
      const step = Math.min(left, LONGEST_TIMER)
      // biome-ignore lint/style/noRestrictedGlobals: the one place that owns the timer
      timer = setTimeout(left > step ? () => wait(left - step) : task, step)
      timer.unref()
    }
    wait(ms)
    return () => clearTimeout(timer)
  },
}

/**
 * Resolves after `ms` milliseconds of `clock`; rejects with `signal.reason` as soon as `signal`
 * aborts, and then leaves no timer behind.
 */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      cancel()
      reject(signal!.reason)
    }
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

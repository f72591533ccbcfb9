import { backgroundError, type Clock, createService, type Service, sleep, toError } from '@tailwater/core'

/** Milliseconds that running work is waited for at the stop when nobody said how long. */
export const DRAIN_MS = 10_000

/**
 * Makes a service of work that goes on until its signal aborts. At the stop it is waited for until the deadline and then left alone: its signal stays aborted,
 * also when the service is started again.
 */
export function createLoop(name: string, clock: Clock, body: (signal: AbortSignal) => Promise<void>): Service {
  let stop = new AbortController()
  let work: Promise<void> = Promise.resolve()
  return createService(name, {
    start() {
      stop = new AbortController()
      work = body(stop.signal).catch((error: unknown) => report(name, error))
    },
    async stop(deadline = clock.elapsed() + DRAIN_MS) {
      stop.abort()
      await settledBy(clock, deadline, work)
    },
  })
}

/** Tells of a fault that nobody awaits. */
export function report(source: string, error: unknown): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source, error: toError(error) })
}

/** Waits, and ends the wait in silence when `signal` aborts: the caller's loop looks at the signal itself. */
export async function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(clock, ms, signal)
  } catch (reason) {
    if (!signal.aborted) throw reason
  }
}

/** Waits for something that ends when its signal aborts, for `ms` at most. */
export async function atMost(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  wait: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const soon = new AbortController()
  const cancel = clock.after(Math.max(0, ms), () => soon.abort())
  await wait(AbortSignal.any([signal, soon.signal])).finally(cancel)
}

/** Resolves when `work` has settled, and at `deadline` at the latest. */
export async function settledBy(clock: Clock, deadline: number, work: Promise<unknown>): Promise<void> {
  const late = new AbortController()
  const settled = work.then(
    () => late.abort(),
    () => late.abort(),
  )
  await Promise.race([settled, pause(clock, Math.max(0, deadline - clock.elapsed()), late.signal)])
}

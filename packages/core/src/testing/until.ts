import { sleep, systemClock } from '../clock.ts'

/** How something is waited for. */
export interface Patience {
  /** Milliseconds in which it must come about: a loaded machine is slow. */
  patience: number
  /** Milliseconds between looks. */
  pause: number
  /** More about why it has not, for the error. */
  describe?: () => string
}

/** Waits until a condition of a server in another process holds; one that cannot be looked at does not hold yet. @throws Error when that takes too long */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  { patience, pause, describe = () => '' }: Patience,
): Promise<void> {
  const deadline = systemClock.elapsed() + patience
  // The clock's timers do not keep a process alive, and while a server starts there may be nothing else.
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {}
  try {
    while (!(await Promise.resolve(holds()).catch(() => false))) {
      if (systemClock.elapsed() > deadline)
        throw new Error(`${what} did not come about in ${patience} ms ${describe()}`)
      await sleep(systemClock, pause)
    }
  } finally {
    port1.close()
    port2.close()
  }
}

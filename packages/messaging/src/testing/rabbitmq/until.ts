import { sleep, systemClock } from '@tailwater/core'

/** Milliseconds between looks at a server that is starting. */
const PAUSE = 50
/** Milliseconds for anything that a test server is waited for: a loaded machine is slow. */
const PATIENCE = 120_000

/** Waits until a condition holds. @throws Error when that takes too long */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  describe: () => string = () => '',
): Promise<void> {
  const deadline = systemClock.elapsed() + PATIENCE
  // The clock's timers do not keep a process alive, and while a server starts there may be nothing else.
  const { port1, port2 } = new MessageChannel()
  port1.onmessage = () => {}
  try {
    while (!(await Promise.resolve(holds()).catch(() => false))) {
      if (systemClock.elapsed() > deadline)
        throw new Error(`${what} did not come about in ${PATIENCE} ms ${describe()}`)
      await sleep(systemClock, PAUSE)
    }
  } finally {
    port1.close()
    port2.close()
  }
}

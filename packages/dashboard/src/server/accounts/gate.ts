import { problem } from '@tailwater/http'

/** Runs work when there is room for it. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>

/**
 * Lets so much expensive work run at once, so much wait, and refuses the rest at once: a flood is then
 * answered with "busy" and does not grow a queue that nobody waits for any more.
 */
export function createGate({ running, waiting }: { running: number; waiting: number }): Gate {
  let free = running
  const queue: (() => void)[] = []

  async function enter(): Promise<void> {
    if (free > 0) {
      free--
      return
    }
    if (queue.length >= waiting)
      throw problem(503, 'E_LOGIN_BUSY', 'Too many passwords are being checked; try again in a second.', {
        headers: { 'retry-after': '1' },
      })
    await new Promise<void>((resolve) => queue.push(resolve))
  }

  /** Whoever waits longest takes over the place; only without one it becomes free. */
  function leave(): void {
    const next = queue.shift()
    if (next) next()
    else free++
  }

  return async (work) => {
    await enter()
    try {
      return await work()
    } finally {
      leave()
    }
  }
}

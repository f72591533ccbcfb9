import type { Clock, Service } from '@tailwater/core'
import { createLoop, pause, report } from '../loop.ts'

/** Milliseconds between two looks when the last one found something. */
const SHORTEST = 50
/** Milliseconds between two looks on a quiet day. */
const LONGEST = 1_000
/** Between two looks while they fail. */
const LONGEST_WHEN_AWAY = 5_000
/** A look that takes long is followed by a wait this many times as long, so that looking never becomes the server's main work. */
const REST = 10

/**
 * Looks again and again, the oftener the more it finds: for rows of transactions that ring no bell, and for bells that went unheard.
 */
export function createPoller(clock: Clock, look: () => Promise<number>): Service {
  return createLoop('outbox poller', clock, async (signal) => {
    let interval = SHORTEST
    let isAway = false
    for (;;) {
      await pause(clock, interval, signal)
      if (signal.aborted) return
      const from = clock.elapsed()
      try {
        const found = await look()
        isAway = false
        interval = found > 0 ? SHORTEST : Math.min(interval * 2, LONGEST)
        interval = Math.max(interval, (clock.elapsed() - from) * REST)
      } catch (error) {
        if (!isAway) report('outbox poller', error)
        isAway = true
        interval = Math.min(interval * 2, LONGEST_WHEN_AWAY)
      }
    }
  })
}

import { type EventLoopUtilization, monitorEventLoopDelay, performance } from 'node:perf_hooks'

/** How the event loop did since the last reading. */
export interface EventLoopReading {
  /** 99th percentile of how late the loop got to a timer, in milliseconds. */
  delay: number
  /** Share of the time in which the loop ran code instead of waiting, 0 to 1. */
  utilisation: number
}

/** Watches the event loop. */
export interface EventLoopProbe {
  /** The time since the last `read`, and begins anew. */
  read(): EventLoopReading
  /** Stops watching; `read` afterwards begins again. */
  close(): void
}

/** Milliseconds between samples: fine enough to see 50 ms, and 50 wake-ups a second cost nothing. */
const RESOLUTION = 20

/** The process's own event loop. Begins to watch at the first `read`. */
export function createEventLoopProbe(): EventLoopProbe {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION })
  let last: EventLoopUtilization | undefined
  return {
    read() {
      const current = performance.eventLoopUtilization()
      const reading = {
        // The histogram holds intervals between its timer's turns, its resolution included, in nanoseconds.
        delay: histogram.count === 0 ? 0 : Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION),
        utilisation: last ? performance.eventLoopUtilization(current, last).utilization : 0,
      }
      last = current
      histogram.enable()
      histogram.reset()
      return reading
    },
    close() {
      histogram.disable()
      histogram.reset()
      last = undefined
    },
  }
}

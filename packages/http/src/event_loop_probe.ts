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
      const since = last && performance.eventLoopUtilization(current, last)
      const reading = { delay: since ? delayOf(histogram, since) : 0, utilisation: since?.utilization ?? 0 }
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

/**
 * A reset histogram needs one turn of its timer to begin, and the second to count. A time in which there were not even
 * two turns was therefore spent in at most two blocks: half of it is the least that the longer one lasted.
 */
function delayOf(histogram: ReturnType<typeof monitorEventLoopDelay>, { active, idle }: EventLoopUtilization): number {
  const late = histogram.count === 0 ? (active + idle) / 2 : histogram.percentile(99) / NANOSECONDS
  // What the histogram holds is the time between turns of its timer, the wanted interval included.
  return Math.max(0, late - RESOLUTION)
}

/** In a millisecond. */
const NANOSECONDS = 1e6

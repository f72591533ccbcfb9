import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Clock } from '@tailwater/core'

/** How the process fared since the last reading. */
export interface RuntimeReading {
  /** 99th percentile of the event loop's lateness, in milliseconds. */
  eventLoopDelay: number
  /** Share of the time the event loop was busy, 0 to 1. */
  eventLoopUtilisation: number
  /** Processor time over wall time: 1 is one core, full. */
  cpu: number
  rss: number
  heapUsed: number
}

/** Reads the process; each reading covers the time since the one before. */
export interface RuntimeProbe {
  read(): RuntimeReading
  close(): void
}

/** How often the loop's lateness is looked at, in milliseconds; also what is subtracted, because an on-time timer reads as this. */
const RESOLUTION_MS = 10

/** Begins to watch the process. */
export function createRuntimeProbe(clock: Clock): RuntimeProbe {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  let utilisation = performance.eventLoopUtilization()
  let cpu = process.cpuUsage()
  let readAt = clock.elapsed()
  return {
    read() {
      const elapsed = Math.max(1, clock.elapsed() - readAt)
      const busy = performance.eventLoopUtilization(utilisation).utilization
      const spent = process.cpuUsage(cpu)
      const memory = process.memoryUsage()
      const delay = delays.count > 0 ? Math.max(0, delays.percentile(99) / 1e6 - RESOLUTION_MS) : 0
      delays.reset()
      utilisation = performance.eventLoopUtilization()
      cpu = process.cpuUsage()
      readAt = clock.elapsed()
      return {
        eventLoopDelay: delay,
        eventLoopUtilisation: busy,
        cpu: (spent.user + spent.system) / 1000 / elapsed,
        rss: memory.rss,
        heapUsed: memory.heapUsed,
      }
    },
    close: () => void delays.disable(),
  }
}

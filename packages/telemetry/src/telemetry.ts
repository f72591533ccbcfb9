import { backgroundError, type Cancel, type Clock, createService, type Service, toError } from '@tailwater/core'
import { createGauge, type Gauge, type GaugeReading } from './gauge.ts'
import { resolveTelemetryOptions, type TelemetryOptions } from './options.ts'
import { PointRing } from './point_ring.ts'
import { Recorder } from './recorder.ts'
import { createRuntimeProbe, type RuntimeProbe } from './runtime_probe.ts'
import type { History, Point } from './series.ts'

/** A sampled second of everything, kept for a while, told to whoever subscribes. */
export interface Telemetry extends Service {
  /** The newest point; undefined until the first second has passed. */
  snapshot(): Point | undefined
  /** The points of the last `seconds`, oldest first, at most as many as are kept. */
  history(seconds: number): History
  /** The points later than a time, in milliseconds since the Unix epoch; oldest first. */
  since(at: number): History
  /** Calls `subscriber` with each new point, once a second while started. */
  subscribe(subscriber: (point: Point) => void): Cancel
  /**
   * Reads series from a function at each sample, in place of what events tell; the result takes it away again.
   * What a promise brings counts from the next sample on, and it is not asked again before it has settled.
   */
  gauge(read: () => GaugeReading | Promise<GaugeReading>): Cancel
}

/** Time between two samples, in milliseconds. */
const SAMPLE_MS = 1_000

interface Sampling {
  recorder: Recorder
  probe: RuntimeProbe
  sampledAt: number
  cancel: Cancel
}

/**
 * Listens to what the engines publish, and samples it once a second.
 *
 * Nothing is recorded before `start` or after `stop`; the history survives both.
 *
 * @throws E_OPTIONS
 * @example
 * const telemetry = createTelemetry()
 * telemetry.gauge(() => ({ 'database.open': database.stats().primary.open }))
 * await telemetry.start()
 * telemetry.subscribe((point) => console.log(point.values['http.requests'], 'requests/s'))
 */
export function createTelemetry(options: TelemetryOptions = {}): Telemetry {
  const { clock, historySeconds, ignorePaths } = resolveTelemetryOptions(options)
  const ring = new PointRing(historySeconds)
  const gauges = new Set<Gauge>()
  const subscribers = new Set<(point: Point) => void>()
  let sampling: Sampling | undefined

  function schedule(): Cancel {
    return clock.after(untilNextSecond(clock.now()), () => {
      if (!sampling) return
      sampling.cancel = schedule()
      sample(sampling)
    })
  }

  function sample(current: Sampling): void {
    const elapsed = clock.elapsed()
    const point = takePoint(clock, current, (elapsed - current.sampledAt) / 1_000, gauges)
    current.sampledAt = elapsed
    ring.push(point)
    for (const subscriber of [...subscribers]) guarded(() => subscriber(point))
  }

  const service = createService('telemetry', {
    start() {
      const recorder = new Recorder({ ignorePaths, onError: report })
      sampling = { recorder, probe: createRuntimeProbe(clock), sampledAt: clock.elapsed(), cancel: () => {} }
      sampling.cancel = schedule()
    },
    stop() {
      sampling?.cancel()
      sampling?.recorder.close()
      sampling?.probe.close()
      sampling = undefined
    },
  })
  return {
    ...service,
    snapshot: () => ring.last(),
    history: (seconds) => ring.since(clock.now() - seconds * 1_000),
    since: (at) => ring.since(at),
    subscribe(subscriber) {
      subscribers.add(subscriber)
      return () => void subscribers.delete(subscriber)
    },
    gauge(read) {
      const gauge = createGauge(read, report)
      gauges.add(gauge)
      return () => void gauges.delete(gauge)
    },
  }
}

/** Timers may fire a little early; what is nearly a whole second counts as one, or the next sample would follow at once. */
function untilNextSecond(now: number): number {
  return wholeSecond(now) + SAMPLE_MS - now
}

function wholeSecond(now: number): number {
  return Math.round(now / SAMPLE_MS) * SAMPLE_MS
}

function takePoint(clock: Clock, { recorder, probe }: Sampling, seconds: number, gauges: Iterable<Gauge>): Point {
  const runtime = probe.read()
  const values: Point['values'] = {
    ...recorder.take(Math.max(seconds, 0.001)),
    'jobs.waiting': null,
    'jobs.running': null,
    'runtime.eventLoopDelay': runtime.eventLoopDelay,
    'runtime.eventLoopUtilisation': runtime.eventLoopUtilisation,
    'runtime.cpu': runtime.cpu,
    'runtime.rss': runtime.rss,
    'runtime.heapUsed': runtime.heapUsed,
  }
  for (const gauge of gauges) Object.assign(values, gauge())
  return { at: wholeSecond(clock.now()), values }
}

/** One bad subscriber must not cost the others their second. */
function guarded(task: () => void): void {
  try {
    task()
  } catch (error) {
    report(toError(error))
  }
}

function report(error: Error): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'telemetry', error })
}

import type { Cancel, Clock } from '@tailwater/core'
import type { QueueSpans, WorkPort } from '../backend/work_port.ts'
import { BUCKETS, bucketOf, countsIn } from '../histogram.ts'
import type { Ended } from './attempt_events.ts'

/** Milliseconds for which durations are gathered: what a process that dies takes along. */
const GATHER_MS = 5_000

/** Gathers how long jobs waited and ran, so that it costs one call in five seconds. */
export class Spans {
  readonly #port: WorkPort
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #queues = new Map<string, { waits: Uint32Array; runs: Uint32Array }>()
  #cancel: Cancel | undefined

  constructor(port: WorkPort, clock: Clock, onError: (error: unknown) => void) {
    this.#port = port
    this.#clock = clock
    this.#onError = onError
  }

  /** Counts attempts whose ends were accepted; a snoozed one is none. */
  record(ended: readonly Ended[], refused: readonly string[]): void {
    for (const { end, job, ms } of ended) {
      if (end.outcome === 'snoozed' || (refused.length > 0 && refused.includes(end.id))) continue
      const { waits, runs } = this.#of(job.queue)
      waits[bucketOf(job.waited)]!++
      runs[bucketOf(ms)]!++
    }
    if (this.#queues.size > 0) this.#cancel ??= this.#clock.after(GATHER_MS, () => void this.send())
  }

  /** Tells what has been gathered. What cannot be told is lost: it is for looking at. */
  async send(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    const spans: QueueSpans[] = [...this.#queues].map(([queue, { waits, runs }]) => ({
      queue,
      waits: countsIn(waits),
      runs: countsIn(runs),
    }))
    this.#queues.clear()
    if (spans.length > 0) await this.#port.observe(spans).catch(this.#onError)
  }

  #of(queue: string): { waits: Uint32Array; runs: Uint32Array } {
    let spans = this.#queues.get(queue)
    if (!spans) {
      spans = { waits: new Uint32Array(BUCKETS), runs: new Uint32Array(BUCKETS) }
      this.#queues.set(queue, spans)
    }
    return spans
  }
}

import { Readable } from 'node:stream'
import {
  backgroundError,
  type Cancel,
  type Clock,
  currentContext,
  runInContext,
  systemClock,
  toError,
} from '@tailwater/core'
import type { Reply } from './exchange.ts'

/** One server-sent event. */
export interface SseEvent {
  /** Sent as JSON, unless it is text. */
  data: unknown
  event?: string
  id?: string
}

/** How a stream of events is kept alive. */
export interface SseOptions {
  headers?: Record<string, string | string[]>
  /** Milliseconds of silence after which a comment is sent, so that proxies keep the connection. @default 15000 */
  heartbeat?: number
  /** Milliseconds a browser waits before it reconnects. @default 2000 */
  retry?: number
  clock?: Clock
}

/**
 * A reply of server-sent events (WHATWG HTML, section 9.2).
 *
 * The source is asked for the next event only when the client has taken the last one. When the client goes away
 * its `return` is called; a source that waits should also end with `exchange.signal`.
 */
export function sse(events: AsyncIterable<SseEvent>, options: SseOptions = {}): Reply {
  return {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      ...options.headers,
    },
    body: new EventFrames(events[Symbol.asyncIterator](), options),
  }
}

/** The body of an event stream; `end` closes it after the event being sent. */
export class EventFrames extends Readable {
  readonly #source: AsyncIterator<SseEvent>
  readonly #clock: Clock
  readonly #heartbeat: number
  readonly #context = currentContext()
  #waiting = false
  #ended = false
  #cancelBeat: Cancel = () => {}

  constructor(source: AsyncIterator<SseEvent>, { heartbeat = 15_000, retry = 2_000, clock = systemClock }: SseOptions) {
    super({ highWaterMark: 1 })
    this.#source = source
    this.#clock = clock
    this.#heartbeat = heartbeat
    // Sent at once: the headers leave with the first bytes, and the browser fires `open`.
    this.push(`retry: ${retry}\n\n`)
  }

  override _read(): void {
    if (this.#waiting || this.#ended) return
    this.#waiting = true
    this.#armHeartbeat()
    this.#next().then(
      (result) => {
        if (this.#ended || this.destroyed) return
        this.#waiting = false
        this.#cancelBeat()
        if (result.done) this.end()
        else this.push(frame(result.value))
      },
      (error: unknown) => this.destroy(toError(error)),
    )
  }

  /** A stream is read in the events of the socket; its source still runs in the request's context. */
  #next(): Promise<IteratorResult<SseEvent>> {
    return this.#context ? runInContext(this.#context, () => this.#source.next()) : this.#source.next()
  }

  end(): void {
    if (this.#ended || this.destroyed) return
    this.#ended = true
    this.#cancelBeat()
    this.push(null)
  }

  /** While the source is silent; a client that does not read gets no more of them. */
  #armHeartbeat(): void {
    this.#cancelBeat = this.#clock.after(this.#heartbeat, () => {
      if (this.readableLength === 0) this.push(':\n\n')
      this.#armHeartbeat()
    })
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#cancelBeat()
    this.#source.return?.().catch((thrown: unknown) => {
      if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'http sse', error: toError(thrown) })
    })
    callback(error)
  }
}

/** The text of one event; line breaks in the data become lines of their own, as the format asks. */
function frame({ data, event, id }: SseEvent): string {
  const body = typeof data === 'string' ? data : JSON.stringify(data)
  const lines = body.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`)
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}${lines.join('')}\n`
}

import { backgroundError, type Cancel, toError } from '@tailwater/core'
import type { SseEvent } from '@tailwater/http'
import type { Point, Telemetry } from '@tailwater/telemetry'

/*
 * The points on their way to one client. Modes:
 *   beginning  nothing was sent yet; the first event is the history
 *   flowing    points wait in a short queue until the client has taken the one before
 *   ended      by the client, by the dashboard's stop, because its session is over, or because it was too slow
 */

/** Why a feed ended. */
export type FeedEnd = 'closed' | 'slow' | 'refused'

/** What a feed is made of. */
export interface PointFeedOptions {
  telemetry: Telemetry
  /** Time of the last point that the client has, in milliseconds since the Unix epoch. */
  after: number
  /** Asked every minute: a session may end while its stream is open. */
  isAllowed(): Promise<boolean>
}

/** Points that wait for a client, at most; it then lags half a minute behind and is cut off. */
const MAX_WAITING = 30
/** Points between two looks at whether the client may still look. */
const CHECK_EVERY = 60

const DONE: IteratorResult<SseEvent> = { done: true, value: undefined }

/** Server-sent events of telemetry's points, for one client. */
export class PointFeed implements AsyncIterableIterator<SseEvent> {
  readonly #options: PointFeedOptions
  readonly #queue: Point[] = []
  readonly #unsubscribe: Cancel
  #sentAt: number
  #begun = false
  #ended: FeedEnd | undefined
  #untilCheck = CHECK_EVERY
  #wanting: ((result: IteratorResult<SseEvent>) => void) | undefined
  #tell: (reason: FeedEnd) => void = () => {}

  constructor(options: PointFeedOptions) {
    this.#options = options
    this.#sentAt = options.after
    this.#unsubscribe = options.telemetry.subscribe((point) => this.#onPoint(point))
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Calls `listener` once, when the feed has ended. */
  onEnd(listener: (reason: FeedEnd) => void): void {
    this.#tell = listener
  }

  next(): Promise<IteratorResult<SseEvent>> {
    if (this.#ended) return Promise.resolve(DONE)
    if (!this.#begun) return Promise.resolve({ done: false, value: this.#history() })
    const point = this.#queue.shift()
    if (point) return Promise.resolve({ done: false, value: this.#event(point) })
    return new Promise((resolve) => {
      this.#wanting = resolve
    })
  }

  return(): Promise<IteratorResult<SseEvent>> {
    this.end('closed')
    return Promise.resolve(DONE)
  }

  /** Ends the feed; the client sees the end of the stream, unless it was too slow to see anything. */
  end(reason: FeedEnd): void {
    if (this.#ended) return
    this.#ended = reason
    this.#unsubscribe()
    this.#queue.length = 0
    this.#wanting?.(DONE)
    this.#tell(reason)
  }

  /** Subscribed before, so that no second is missed between history and points; those in both are sent once. */
  #history(): SseEvent {
    this.#begun = true
    const history = this.#options.telemetry.since(this.#sentAt)
    this.#sentAt = history.at.at(-1) ?? this.#sentAt
    while (this.#queue[0] && this.#queue[0].at <= this.#sentAt) this.#queue.shift()
    return { event: 'history', id: String(this.#sentAt), data: history }
  }

  #onPoint(point: Point): void {
    if (--this.#untilCheck === 0) this.#check()
    const take = this.#wanting
    if (take) {
      this.#wanting = undefined
      take({ done: false, value: this.#event(point) })
    } else if (this.#queue.length < MAX_WAITING) this.#queue.push(point)
    else this.end('slow')
  }

  #event(point: Point): SseEvent {
    this.#sentAt = point.at
    return { event: 'point', id: String(point.at), data: point }
  }

  /** With the database away nobody can be asked, and those who were let in stay. */
  #check(): void {
    this.#untilCheck = CHECK_EVERY
    this.#options.isAllowed().then(
      (allowed) => {
        if (!allowed) this.end('refused')
      },
      (error: unknown) => {
        if (backgroundError.hasSubscribers)
          backgroundError.publish({ source: 'dashboard stream', error: toError(error) })
      },
    )
  }
}

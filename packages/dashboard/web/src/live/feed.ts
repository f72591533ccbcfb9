import type { History, Point } from '@tailwater/telemetry'
import { ApiError, api, apiUrl } from '../api.ts'
import { emptyWindow, type Window, withHistory, withPoint } from './window.ts'

/*
 * The connection to the live stream. Modes:
 *   connecting    the first connection is being made; nothing is known yet
 *   live          points come in
 *   reconnecting  the stream was lost; what is shown grows old; another try is under way or due
 *   paused        the page is hidden and the stream closed; it resumes when the page is seen again
 *   refused       the server said that we may not look (logged out, or not allowed): no more tries
 */

/** Which of its modes the connection is in. */
export type FeedMode = 'connecting' | 'live' | 'reconnecting' | 'paused' | 'refused'

/** What the page shows: how the connection is, and what it brought so far. */
export interface FeedState {
  readonly mode: FeedMode
  readonly window: Window
  /** Time of the next try, in milliseconds since the Unix epoch, while reconnecting. */
  readonly retryAt: number | undefined
  /** Why we were refused. */
  readonly refusal: ApiError | undefined
}

/** A live view that components subscribe to. */
export interface Feed {
  state(): FeedState
  subscribe(listener: () => void): () => void
  /** Makes sure that the last `seconds` are there. */
  reach(seconds: number): Promise<void>
  /** Tries at once instead of when the wait is over. */
  retryNow(): void
  open(): void
  close(): void
}

/** Seconds that the first connection asks for. */
const FIRST_SECONDS = 600
/** First wait before another try, and the longest, in milliseconds. */
const FIRST_WAIT = 1_000
const LONGEST_WAIT = 15_000
/** Silence after which a connection is given up although nobody closed it, in milliseconds: five missed points. */
const SILENCE = 6_000

/** Makes a feed; nothing happens before `open`. */
export function createFeed(): Feed {
  return new StreamFeed()
}

class StreamFeed implements Feed {
  #state: FeedState = { mode: 'connecting', window: emptyWindow, retryAt: undefined, refusal: undefined }
  readonly #listeners = new Set<() => void>()
  #source: EventSource | undefined
  #retry: ReturnType<typeof setTimeout> | undefined
  #silence: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #reached = FIRST_SECONDS

  state = (): FeedState => this.#state

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  open(): void {
    document.addEventListener('visibilitychange', this.#onVisibility)
    this.#connect()
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#onVisibility)
    this.#disconnect()
  }

  retryNow(): void {
    if (this.#state.mode === 'reconnecting') this.#connect()
  }

  async reach(seconds: number): Promise<void> {
    if (seconds <= this.#reached) return
    const history = await api.history(seconds)
    this.#reached = seconds
    this.#set({ window: withHistory(this.#state.window, history) })
  }

  #connect(): void {
    this.#disconnect()
    if (document.hidden) {
      this.#set({ mode: 'paused' })
      return
    }
    const newest = this.#state.window.at.at(-1)
    const resume = newest === undefined ? `seconds=${FIRST_SECONDS}` : `after=${newest}`
    const source = new EventSource(apiUrl(`stream?${resume}`))
    this.#source = source
    source.addEventListener('history', (event) => {
      const history = JSON.parse(event.data) as History
      this.#onData(withHistory(this.#state.window, history))
    })
    source.addEventListener('point', (event) => {
      this.#onData(withPoint(this.#state.window, JSON.parse(event.data) as Point))
    })
    source.onerror = () => void this.#onLost()
    this.#listenForSilence()
  }

  #disconnect(): void {
    this.#source?.close()
    this.#source = undefined
    clearTimeout(this.#retry)
    clearTimeout(this.#silence)
  }

  #onData(window: Window): void {
    this.#failures = 0
    this.#listenForSilence()
    this.#set({ mode: 'live', window, retryAt: undefined })
  }

  /** A network that vanished tells nobody: the stream just stays silent. */
  #listenForSilence(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => void this.#onLost(), SILENCE)
  }

  /** An event source does not say why it failed: one plain request does. */
  async #onLost(): Promise<void> {
    this.#disconnect()
    const wait = Math.min(FIRST_WAIT * 2 ** this.#failures, LONGEST_WAIT) * (0.75 + Math.random() / 2)
    this.#failures++
    this.#set({ mode: 'reconnecting', retryAt: Date.now() + wait })
    this.#retry = setTimeout(() => this.#connect(), wait)
    const refusal = await api.me().then(
      () => undefined,
      (error: unknown) => (error instanceof ApiError && [401, 403].includes(error.status) ? error : undefined),
    )
    if (!refusal) return
    this.#disconnect()
    this.#set({ mode: 'refused', refusal, retryAt: undefined })
  }

  #onVisibility = (): void => {
    if (this.#state.mode === 'refused') return
    this.#disconnect()
    if (document.hidden) this.#set({ mode: 'paused' })
    else this.#connect()
  }

  #set(change: Partial<FeedState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener()
  }
}

import { type Cancel, type Clock, toError } from '@tailwater/core'
import { CircuitState, circuitBreaker, handleAll, type IBreaker } from 'cockatiel'
import { FarTimeout } from './time_limit.ts'

/** How the far tier is: used, left alone, or being tried. */
export type FarState = 'closed' | 'open' | 'half-open'

/** What a breaker needs. */
export interface BreakerOptions {
  clock: Clock
  /** Tries the store, and does what must be done before it is used again; rejects if either fails. */
  recover(): Promise<void>
  onChange(state: FarState, error: Error | undefined): void
}

/** Failures in a row that open it; a time-out opens it at once, because each one costs a caller its patience. */
const FAILURES = 3
/** Milliseconds until the first try, and the most between two. */
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 10_000

/** Decides when cockatiel opens. */
class Threshold implements IBreaker {
  state = 0
  /** The failure that is about to be counted was a time-out. */
  wasTimeout = false

  success(): void {
    this.state = 0
  }

  failure(state: CircuitState): boolean {
    return state === CircuitState.HalfOpen || this.wasTimeout || ++this.state >= FAILURES
  }
}

/**
 * Keeps callers from waiting for a store that does not answer.
 *
 * Modes: *closed*: calls go through; *open*: none does, and after a pause, 1 s and doubled up to 10 s, it tries again by itself; *half-open*: it tries, and still no
 * caller's call goes through, so that nobody has to wait for the try. cockatiel keeps the states; the pause is ours, because cockatiel reads the machine's clock.
 */
export class Breaker {
  readonly #options: BreakerOptions
  readonly #threshold = new Threshold()
  readonly #circuit = circuitBreaker(handleAll, { halfOpenAfter: 0, breaker: this.#threshold })
  #pause = FIRST_PAUSE
  #closedAt = Number.NEGATIVE_INFINITY
  #cancel: Cancel = () => {}
  #state: FarState = 'closed'
  #isRunning = false

  constructor(options: BreakerOptions) {
    this.#options = options
    this.#circuit.onBreak((reason) => this.#opened('error' in reason ? toError(reason.error) : undefined))
  }

  get state(): FarState {
    return this.#state
  }

  get isClosed(): boolean {
    return this.#state === 'closed' && this.#isRunning
  }

  /** Milliseconds since the store came back; infinite if it never was away. */
  get backFor(): number {
    return this.#options.clock.elapsed() - this.#closedAt
  }

  /** Runs a call; only while closed. */
  run<T>(call: () => Promise<T>): Promise<T> {
    return this.#circuit.execute(() => this.#watched(call))
  }

  /** Begins with a try, because nothing is known yet of the store; resolves when it was made, whatever it came to. */
  async start(): Promise<void> {
    this.#isRunning = true
    this.#state = 'open'
    await this.#try()
    // A start is no sign of a store that comes and goes.
    this.#closedAt = Number.NEGATIVE_INFINITY
  }

  stop(): void {
    this.#isRunning = false
    this.#cancel()
  }

  async #watched<T>(call: () => Promise<T>): Promise<T> {
    try {
      const result = await call()
      this.#threshold.wasTimeout = false
      return result
    } catch (error) {
      this.#threshold.wasTimeout = error instanceof FarTimeout
      throw error
    }
  }

  #opened(error: Error | undefined): void {
    if (this.#state !== 'closed') return
    // Open again soon after it was closed: a store that flaps is tried less and less often.
    const isFlapping = this.#options.clock.elapsed() - this.#closedAt < LONGEST_PAUSE
    this.#pause = isFlapping ? Math.min(this.#pause * 2, LONGEST_PAUSE) : FIRST_PAUSE
    this.#change('open', error)
    this.#tryLater()
  }

  #tryLater(): void {
    this.#cancel()
    if (this.#isRunning) this.#cancel = this.#options.clock.after(this.#pause, () => void this.#try())
  }

  async #try(): Promise<void> {
    this.#change('half-open', undefined)
    try {
      await this.#circuit.execute(() => this.#watched(() => this.#options.recover()))
      this.#closedAt = this.#options.clock.elapsed()
      if (this.#isRunning) this.#change('closed', undefined)
    } catch (error) {
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
      this.#change('open', toError(error))
      this.#tryLater()
    }
  }

  #change(state: FarState, error: Error | undefined): void {
    if (this.#state === state) return
    this.#state = state
    this.#options.onChange(state, error)
  }
}

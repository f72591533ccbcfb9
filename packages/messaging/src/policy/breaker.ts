import { type Cancel, type Clock, toError } from '@tailwater/core'
import {
  BrokenCircuitError,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  SamplingBreaker,
} from 'cockatiel'
import { messagingError } from '../errors.ts'
import { isOwnFault } from './fault.ts'
import type { ResolvedPolicy } from './policy_options.ts'

/** How a breaker stands. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/**
 * Keeps calls from somebody who fails.
 *
 * Modes: *closed*: calls go through, and failures are counted; *open*: none does, until its pause is over; *half-open*: one call tries, and decides. cockatiel counts and
 * keeps the states; the pause is ours, because cockatiel reads the machine's clock, and because consumers are to go on when it is over, with nobody calling.
 */
export class PolicyBreaker {
  readonly #policy: string
  readonly #clock: Clock
  readonly #halfOpenAfter: number
  readonly #circuit
  readonly #onChange: (state: BreakerState, error: Error | undefined) => void
  #state: BreakerState = 'closed'
  #isTrying = false
  #cancel: Cancel = () => {}

  constructor(
    policy: string,
    options: NonNullable<ResolvedPolicy['breaker']>,
    clock: Clock,
    onChange: (state: BreakerState, error: Error | undefined) => void,
  ) {
    this.#policy = policy
    this.#clock = clock
    this.#halfOpenAfter = options.halfOpenAfter
    this.#onChange = onChange
    const breaker =
      options.failures !== undefined
        ? new ConsecutiveBreaker(options.failures)
        : new SamplingBreaker({
            threshold: options.share!,
            duration: options.window!,
            // Below so many calls a second a share says nothing.
            minimumRps: (options.atLeast ?? 5) / (options.window! / 1_000),
          })
    // What the caller did wrong says nothing of the other side.
    this.#circuit = circuitBreaker(
      handleWhen((error) => !isOwnFault(error)),
      { halfOpenAfter: 0, breaker },
    )
    this.#circuit.onBreak((reason) => this.#opened('error' in reason ? toError(reason.error) : undefined))
    this.#circuit.onReset(() => this.#change('closed', undefined))
  }

  get state(): BreakerState {
    return this.#state
  }

  /** @throws E_MESSAGE_BREAKER_OPEN */
  async run<T>(call: () => Promise<T>): Promise<T> {
    if (this.#state === 'closed') return this.#execute(call)
    if (this.#state === 'open' || this.#isTrying) throw this.#refusal()
    this.#isTrying = true
    try {
      return await this.#execute(call)
    } finally {
      this.#isTrying = false
    }
  }

  async #execute<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await this.#circuit.execute(call)
    } catch (error) {
      throw error instanceof BrokenCircuitError ? this.#refusal() : error
    }
  }

  #opened(error: Error | undefined): void {
    this.#change('open', error)
    this.#cancel()
    this.#cancel = this.#clock.after(this.#halfOpenAfter, () => {
      if (this.#circuit.state !== CircuitState.Closed) this.#change('half-open', undefined)
    })
  }

  #change(state: BreakerState, error: Error | undefined): void {
    if (this.#state === state) return
    this.#state = state
    if (state === 'closed') this.#cancel()
    this.#onChange(state, error)
  }

  #refusal(): Error {
    return messagingError(
      'E_MESSAGE_BREAKER_OPEN',
      `the breaker of policy '${this.#policy}' is open: nobody calls for now`,
      {
        policy: this.#policy,
      },
    )
  }
}

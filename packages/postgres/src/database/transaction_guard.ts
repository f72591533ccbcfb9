import type { Cancel, Clock } from '@tailwater/core'
import type { Transaction } from '../database.ts'
import { databaseError } from './failure.ts'
import { cancelled } from './perform.ts'
import type { RunningTransaction } from './running_transaction.ts'

/** Ends a transaction's body from outside: when its time is up, or its caller aborts. */
export class TransactionGuard {
  #reason: Error | undefined
  #interrupt: ((reason: Error) => void) | undefined
  readonly #cancelTimer: Cancel | undefined
  readonly #signal: AbortSignal | undefined

  /** @param timeout milliseconds; 0 for no limit */
  constructor(signal: AbortSignal | undefined, timeout: number, clock: Clock) {
    if (timeout > 0) this.#cancelTimer = clock.after(timeout, () => this.#end(outOfTime(timeout)))
    this.#signal = signal
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** What `body` comes to, or the reason why it is no longer waited for; from then on the guard sleeps. */
  watch<T>(tx: RunningTransaction, body: (tx: Transaction) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = (reason) => {
        tx.interrupt(reason)
        reject(reason)
      }
      if (this.#reason) this.#interrupt(this.#reason)
      else
        body(tx)
          .then(resolve, reject)
          .finally(() => this.end())
    })
  }

  /** Whether it has cut the body short. */
  get hasEnded(): boolean {
    return this.#reason !== undefined
  }

  end(): void {
    this.#cancelTimer?.()
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#interrupt = undefined
  }

  readonly #onAbort = () => this.#end(cancelled(this.#signal!))

  #end(reason: Error): void {
    this.#reason = reason
    this.#interrupt?.(reason)
  }
}

function outOfTime(timeout: number): Error {
  return databaseError('E_DATABASE_TIMEOUT', `the transaction took longer than ${timeout} ms and was rolled back`, {
    timeout,
  })
}

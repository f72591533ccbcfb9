import { AsyncLocalStorage } from 'node:async_hooks'
import { cacheError } from '../errors.ts'
import type { Flight } from './flight.ts'
import type { Load, LoadContext } from './load_context.ts'

/**
 * Which loads are running where a look-up is made, so that one that asks for what it is loading fails at once: it would wait for itself until its limit.
 *
 * Everywhere what a load does before it first waits is watched, which costs nothing. What it does after that is watched in development alone: an async context for each load costs more
 * than the rest of its bookkeeping.
 */
export class LoadChain {
  readonly #waiting: AsyncLocalStorage<readonly Flight[]> | undefined
  readonly #running: Flight[] = []

  constructor({ isThorough }: { isThorough: boolean }) {
    this.#waiting = isThorough ? new AsyncLocalStorage() : undefined
  }

  /** Calls a load. @throws what it throws at once */
  call(flight: Flight, load: Load, context: LoadContext): unknown {
    this.#running.push(flight)
    try {
      if (!this.#waiting) return load(context)
      return this.#waiting.run([...(this.#waiting.getStore() ?? []), flight], load, context)
    } finally {
      this.#running.pop()
    }
  }

  /** The error of who is about to wait for a load that it is a part of. */
  cycleOf(flight: Flight): Error | undefined {
    if (flight.isAnswered) return undefined
    if (!this.#running.includes(flight) && !this.#waiting?.getStore()?.includes(flight)) return undefined
    const { key } = flight
    return cacheError('E_CACHE_LOAD_CYCLE', `the load of '${key}' asks for itself, and would wait for itself`, { key })
  }
}

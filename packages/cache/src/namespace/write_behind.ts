import { backgroundError, type Cancel, type Clock, notice, toError } from '@tailwater/core'
import { cacheError } from '../errors.ts'
import type { ResolvedWriteBehind } from './definition.ts'

/** Brings values to their source, in the order in which their keys were first set. */
export type StoreBatch<Id, Value> = (entries: readonly (readonly [Id, Value])[]) => Promise<unknown>

interface Waiting<Id, Value> {
  id: Id
  value: Value
}

/** Milliseconds before values that could not be stored are tried again; doubled up to the longest. */
const FIRST_PAUSE = 1_000
const LONGEST_PAUSE = 30_000

/**
 * Values that were set and are not stored yet.
 *
 * The last value of a key counts. They are stored in batches; a batch that fails waits and comes again, for as long as the process lives. `stop` stores what there
 * is. What was not stored when the process was killed is lost, and so is what could not be stored by the deadline of a stop: that much is told.
 */
export class WriteBehind<Id, Value> {
  readonly #name: string
  readonly #clock: Clock
  readonly #options: ResolvedWriteBehind
  readonly #store: StoreBatch<Id, Value>
  readonly #waiting = new Map<string, Waiting<Id, Value>>()
  #cancel: Cancel | undefined
  #storing: Promise<boolean> | undefined
  #failures = 0

  constructor(name: string, clock: Clock, options: ResolvedWriteBehind, store: StoreBatch<Id, Value>) {
    this.#name = name
    this.#clock = clock
    this.#options = options
    this.#store = store
  }

  get size(): number {
    return this.#waiting.size
  }

  /** The value that waits under a key: newer than the source's. */
  get(key: string): { readonly value: Value } | undefined {
    return this.#waiting.get(key)
  }

  /** @throws E_CACHE_QUEUE_FULL */
  add(entries: readonly { key: string; id: Id; value: Value }[]): void {
    const more = entries.filter(({ key }) => !this.#waiting.has(key)).length
    if (this.#waiting.size + more > this.#options.maxQueue)
      throw cacheError(
        'E_CACHE_QUEUE_FULL',
        `${this.#waiting.size} values of '${this.#name}' wait to be stored already`,
        {
          namespace: this.#name,
          maxQueue: this.#options.maxQueue,
        },
      )
    for (const { key, id, value } of entries) this.#waiting.set(key, { id, value })
    if (this.#waiting.size >= this.#options.batch && this.#failures === 0) void this.#begin()
    else this.#later(this.#options.delay)
  }

  /** Stores everything that waits now. @returns false if that failed */
  async flush(): Promise<boolean> {
    while (this.#waiting.size > 0) if (!(await this.#begin())) return false
    return true
  }

  /** Stores what there is until the deadline, a reading of `Clock.elapsed`, and tells how much is lost. */
  async stop(deadline: number): Promise<void> {
    const late = Promise.withResolvers<boolean>()
    const cancel = this.#clock.after(Math.max(0, deadline - this.#clock.elapsed()), () => late.resolve(false))
    await Promise.race([this.flush(), late.promise])
    cancel()
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#waiting.size > 0 && notice.hasSubscribers)
      notice.publish({
        source: `cache ${this.#name}`,
        level: 'warn',
        message: `${this.#waiting.size} values that were set could not be stored before the stop, and are lost`,
        fields: { namespace: this.#name, lost: this.#waiting.size },
      })
  }

  #later(ms: number): void {
    this.#cancel ??= this.#clock.after(ms, () => {
      this.#cancel = undefined
      void this.#begin()
    })
  }

  #begin(): Promise<boolean> {
    this.#storing ??= this.#storeOne().finally(() => {
      this.#storing = undefined
    })
    return this.#storing
  }

  async #storeOne(): Promise<boolean> {
    const batch = [...this.#waiting].slice(0, this.#options.batch)
    try {
      await this.#store(batch.map(([, { id, value }]) => [id, value] as const))
      this.#failures = 0
      // One that was set again meanwhile waits for the next batch.
      for (const [key, waiting] of batch) if (this.#waiting.get(key) === waiting) this.#waiting.delete(key)
      if (this.#waiting.size > 0) this.#later(this.#options.delay)
      return true
    } catch (error) {
      if (backgroundError.hasSubscribers)
        backgroundError.publish({ source: `cache ${this.#name}`, error: toError(error) })
      this.#later(Math.min(FIRST_PAUSE * 2 ** this.#failures++, LONGEST_PAUSE))
      return false
    }
  }
}

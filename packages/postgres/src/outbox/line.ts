/**
 * What this process knows of the end of the line, and who waits for it to grow.
 *
 * News comes from everywhere: own publishes, notifications, polls, reads. It may be late, so only a look at the server may move the end back.
 */
export class Line {
  #last = 0n
  readonly #waiters = new Set<{ position: bigint; resolve: () => void }>()

  /** The last place in line known to be taken. */
  get last(): bigint {
    return this.#last
  }

  /** Somebody has seen a row at `last`. */
  reach(last: bigint): void {
    if (last <= this.#last) return
    this.#last = last
    for (const waiter of this.#waiters) if (last > waiter.position) this.#wake(waiter)
  }

  /** The line ends at `last` although it was longer: the server lost its end, or is another. Everyone is woken to look. */
  shorten(last: bigint): void {
    this.#last = last
    for (const waiter of this.#waiters) this.#wake(waiter)
  }

  /** Resolves when the line is longer than `position`, has been shortened, or `signal` aborts. */
  beyond(position: bigint, signal: AbortSignal): Promise<void> {
    if (this.#last > position || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const waiter = {
        position,
        resolve: () => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      const onAbort = () => this.#wake(waiter)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiters.add(waiter)
    })
  }

  #wake(waiter: { resolve: () => void }): void {
    this.#waiters.delete(waiter as { position: bigint; resolve: () => void })
    waiter.resolve()
  }
}

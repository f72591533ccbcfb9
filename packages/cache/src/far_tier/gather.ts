/** Items of one call at most: a larger one would hold the store, and this process, for too long at a time. */
const MAX_BATCH = 500

/**
 * Gathers what is asked for within one turn of the event loop, so that hundreds of callers cost one call.
 *
 * `setImmediate`, because it comes right after the input that woke the callers: they have all spoken by then, and nobody has waited.
 */
export class Gather<Item> {
  readonly #flush: (items: Item[]) => void
  #items: Item[] = []

  constructor(flush: (items: Item[]) => void) {
    this.#flush = flush
  }

  add(item: Item): void {
    if (this.#items.push(item) === 1) setImmediate(this.#run)
  }

  readonly #run = (): void => {
    const items = this.#items
    this.#items = []
    for (let at = 0; at < items.length; at += MAX_BATCH)
      this.#flush(items.length <= MAX_BATCH ? items : items.slice(at, at + MAX_BATCH))
  }
}

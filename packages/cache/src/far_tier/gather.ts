/** Items of one call at most: a larger one would hold the store, and this process, for too long at a time. */
const MAX_BATCH = 500

/**
 * Gathers what is asked for within one turn of the event loop, so that hundreds of callers cost one call.
 *
 * `setImmediate`, because it comes right after the input that woke the callers: they have all spoken by then, and nobody has waited. Where more than `eager` come in one turn,
 * the first of them set off at once: the store works on those while this process is still busy with the others, and neither waits for the other.
 */
export class Gather<Item> {
  readonly #flush: (items: Item[]) => void
  readonly #eager: number
  #items: Item[] = []
  #isDue = false

  constructor(flush: (items: Item[]) => void, eager = MAX_BATCH) {
    this.#flush = flush
    this.#eager = eager
  }

  add(item: Item): void {
    if (this.#items.push(item) >= this.#eager) this.#send()
    else if (!this.#isDue) {
      this.#isDue = true
      setImmediate(this.#run)
    }
  }

  readonly #run = (): void => {
    this.#isDue = false
    if (this.#items.length > 0) this.#send()
  }

  #send(): void {
    const items = this.#items
    this.#items = []
    this.#flush(items)
  }
}

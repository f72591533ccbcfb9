/**
 * Calls back once at the end of a turn of the event loop, however often it was set in it.
 *
 * By `setImmediate`, which comes right after the input that woke the callers: they have all spoken by then, and nobody has waited for anything
 * but the others' own work.
 */
export class TurnEnd {
  #isSet = false
  readonly #run: () => void

  constructor(run: () => void) {
    this.#run = () => {
      this.#isSet = false
      run()
    }
  }

  set(): void {
    if (this.#isSet) return
    this.#isSet = true
    setImmediate(this.#run)
  }
}

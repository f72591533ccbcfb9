/** Milliseconds that a statement may take on average to count as quick. */
const QUICK = 10
/** Share of the newest run in the average: the last ten or so count. */
const WEIGHT = 1 / 8

/** How long named statements take, as far as they have run. */
export class StatementPace {
  readonly #averages = new Map<string, number>()
  /** Milliseconds that a quick one takes, on average over all. */
  mean = 0

  /** @param ms what a run took, or its share of what a batch took */
  note(name: string, ms: number): void {
    const before = this.#averages.get(name)
    const average = before === undefined ? ms : before + (ms - before) * WEIGHT
    this.#averages.set(name, average)
    if (average <= QUICK) this.mean += (ms - this.mean) * WEIGHT
  }

  /** Whether a statement has been quick; one that was never run is not. */
  isQuick(name: string): boolean {
    const average = this.#averages.get(name)
    return average !== undefined && average <= QUICK
  }
}

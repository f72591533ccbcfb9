/*
 * How long named statements take by themselves.
 *
 * Problem: what is measured is the work and the waiting for the server's cores. Taken as it is, a minute in which others use these makes every read
 * look slow; slow ones are each given a connection of their own, and a hundred at once on two cores then are slow indeed, for as long as the load lasts.
 *
 * Method: waiting only ever adds, so the lower times tell of the work. The average follows a shorter time by a quarter of the way and a longer
 * one by a thirty-second: it rests near the lower tenth of what is measured. A statement that has really become slow is known after a dozen runs.
 */

/** Milliseconds that a statement may take to count as quick. */
const QUICK = 10
const WEIGHT_OF_SHORTER = 1 / 4
const WEIGHT_OF_LONGER = 1 / 32

/** How long named statements take, as far as they have run. */
export class StatementPace {
  readonly #averages = new Map<string, number>()
  /** Milliseconds that a quick one takes, over all. */
  mean = 0

  /** @param ms what a run took, or its share of what a batch took */
  note(name: string, ms: number): void {
    const average = follow(this.#averages.get(name) ?? ms, ms)
    this.#averages.set(name, average)
    if (average <= QUICK) this.mean = follow(this.mean, ms)
  }

  /** Whether a statement has been quick; one that was never run is not. */
  isQuick(name: string): boolean {
    const average = this.#averages.get(name)
    return average !== undefined && average <= QUICK
  }
}

function follow(average: number, ms: number): number {
  return average + (ms - average) * (ms < average ? WEIGHT_OF_SHORTER : WEIGHT_OF_LONGER)
}

import type { JobRecord } from './record.ts'

/** Keys remembered before those are looked for that need not be. */
const MANY = 1_000

/**
 * Turns between keys, as start-time fair queuing hands them out (Goyal, Vin and Cheng, SIGCOMM 1996, with all jobs of one length): a job's turn is one after
 * the last of its key, but not before the turn that is being served. A key that was away saves no turns up, and one with a long line stands in each turn once.
 */
export class Turns {
  /** The turn being served, by priority. */
  #served = new Map<number, number>()
  /** The last turn given to a key, by priority. */
  #last = new Map<number, Map<string, number>>()
  #pruneAt = MANY

  /** The turn of a job that becomes available. */
  of({ priority, key = '' }: JobRecord): number {
    const served = this.#served.get(priority) ?? 0
    const last = this.#keysOf(priority)
    const turn = Math.max(served, (last.get(key) ?? -1) + 1)
    last.set(key, turn)
    if (last.size > this.#pruneAt) this.#prune(last, served)
    return turn
  }

  /** A job of this turn was claimed. */
  serve({ priority }: JobRecord, turn: number): void {
    this.#served.set(priority, Math.max(turn, this.#served.get(priority) ?? 0))
  }

  #keysOf(priority: number): Map<string, number> {
    let keys = this.#last.get(priority)
    if (!keys) {
      keys = new Map()
      this.#last.set(priority, keys)
    }
    return keys
  }

  /** A key whose last turn is past is one that was never there. */
  #prune(last: Map<string, number>, served: number): void {
    for (const [key, turn] of last) if (turn < served) last.delete(key)
    this.#pruneAt = Math.max(MANY, 2 * last.size)
  }
}

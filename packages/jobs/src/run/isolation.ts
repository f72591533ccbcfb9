import type { Cancel, Clock } from '@tailwater/core'
import { type ClaimedJob, MAX_CRASHES } from '../job.ts'
import type { Attempt } from './attempt.ts'
import type { Lanes } from './lane.ts'

/** Milliseconds that what runs here may go on before a suspect begins beside it: a handler that never ends must not hold up a process. */
const PATIENCE = 60_000

/** What isolation needs of whoever runs attempts. */
export interface IsolationParts {
  clock: Clock
  lanes: Lanes
  /** Attempts of this process, by job; a suspect that waits is among them. */
  running: ReadonlyMap<string, Attempt>
  /** How often a job has cost its worker. */
  crashesOf(id: string): Promise<number>
  /** Whether the store knows all ends, and no turn is under way that may bring jobs. */
  isSettled(): boolean
  start(attempt: Attempt): void
  /** Gives a job back that has not begun. */
  giveBack(attempt: Attempt): void
  report(error: unknown): void
}

/**
 * Runs alone what may be poison: jobs that the next crash would bury.
 *
 * A poison takes along what its worker has, each time, for what is rescued together is claimed together. So what has cost its worker as often as a job may begins only when
 * nothing else runs here, the store knows of all ends, and other suspects have been given back; and nothing is claimed until it has ended. If the process
 * dies then, it was the poison, and nobody else pays.
 *
 * Modes: *free*: nobody is suspected; *waiting*: a suspect waits until what runs has ended, at most a minute; *alone*: it runs.
 */
export class Isolation {
  readonly #parts: IsolationParts
  #suspect: Attempt | undefined
  #cancelTimer: Cancel = () => {}

  constructor(parts: IsolationParts) {
    this.#parts = parts
  }

  /** Starts an attempt, or lets it wait if its job is a suspect: that is asked of the store. */
  admit(attempt: Attempt): void {
    const { crashesOf, report } = this.#parts
    const { id, attempt: number, maxAttempts } = attempt.claimed
    const start = () => {
      if (attempt.state === 'waiting') this.#parts.start(attempt)
    }
    crashesOf(id).then(
      (crashes) => {
        if (crashes < MAX_CRASHES && (crashes === 0 || number < maxAttempts)) start()
        else this.#hold(attempt)
      },
      (error) => {
        report(error)
        start()
      },
    )
  }

  /** Something has ended, or a turn is over: the suspect may begin, or claiming go on. */
  look(): void {
    const suspect = this.#suspect
    if (!suspect || suspect.state === 'running') return
    if (suspect.state !== 'waiting') this.clear()
    else if (this.#parts.isSettled() && !this.#isAnybodyElseHere(suspect)) this.#begin(suspect)
  }

  /** Nobody is suspected any more. */
  clear(): void {
    if (!this.#suspect) return
    this.#suspect = undefined
    this.#cancelTimer()
    this.#parts.lanes.hold(false)
  }

  #hold(attempt: Attempt): void {
    if (attempt.state !== 'waiting') return
    if (this.#suspect) {
      this.#parts.giveBack(attempt)
      return
    }
    this.#suspect = attempt
    this.#parts.lanes.hold(true)
    this.#cancelTimer = this.#parts.clock.after(PATIENCE, () => this.#begin(attempt))
    this.look()
  }

  #begin(suspect: Attempt): void {
    this.#cancelTimer()
    if (suspect.state === 'waiting') this.#parts.start(suspect)
  }

  #isAnybodyElseHere(suspect: Attempt): boolean {
    for (const attempt of this.#parts.running.values()) if (attempt !== suspect) return true
    return false
  }
}

/** Whether a crash may bury the job: only then the store is asked how many it has had. */
export function mayBePoison({ attempt, maxAttempts }: ClaimedJob): boolean {
  return attempt > 1 && (attempt > MAX_CRASHES || attempt >= maxAttempts)
}

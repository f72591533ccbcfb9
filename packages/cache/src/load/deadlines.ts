import type { Cancel, Clock } from '@tailwater/core'

/** Something that ends at its time unless it is dropped before. */
export interface Deadline {
  readonly due: number
  readonly expire: () => void
  line: Line | undefined
  before: Deadline | undefined
  after: Deadline | undefined
}

/** Deadlines of one length, the first to fall due in front, and the timer that waits for it. */
interface Line {
  readonly ms: number
  first: Deadline | undefined
  last: Deadline | undefined
  cancel: Cancel | undefined
}

/**
 * Many time limits, nearly all of which are dropped before they are over.
 *
 * Limits of one length fall due in the order in which they were set. So each length has a list and one timer for its front, and a load costs a link in a list in place of a timer of its
 * own. Nothing is kept of what was dropped; a length that has nobody left has no timer.
 */
export class Deadlines {
  readonly #clock: Clock
  readonly #lines = new Map<number, Line>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @param ms from now; few different ones, because each has a timer */
  set(ms: number, expire: () => void): Deadline {
    const line = this.#lines.get(ms) ?? this.#newLine(ms)
    const deadline = { due: this.#clock.elapsed() + ms, expire, line, before: line.last, after: undefined }
    if (line.last) line.last.after = deadline
    else line.first = deadline
    line.last = deadline
    if (!line.cancel) this.#wait(line, ms)
    return deadline
  }

  /** Does nothing for one that is over, or was dropped. */
  drop(deadline: Deadline): void {
    const { line, before, after } = deadline
    if (!line) return
    deadline.line = undefined
    if (before) before.after = after
    else line.first = after
    if (after) after.before = before
    else line.last = before
    if (line.first) return
    line.cancel?.()
    line.cancel = undefined
    if (this.#lines.size > MOST_LENGTHS) this.#lines.delete(line.ms)
  }

  #newLine(ms: number): Line {
    const line = { ms, first: undefined, last: undefined, cancel: undefined }
    this.#lines.set(ms, line)
    return line
  }

  #wait(line: Line, left: number): void {
    line.cancel = this.#clock.after(left, () => {
      line.cancel = undefined
      const now = this.#clock.elapsed()
      for (let first = line.first; first && first.due <= now; first = line.first) {
        this.drop(first)
        first.expire()
      }
      if (line.first && !line.cancel) this.#wait(line, line.first.due - now)
    })
  }
}

/** Lengths that are remembered while nobody uses them. */
const MOST_LENGTHS = 100

import { matcherOf } from '../key.ts'

/** Patterns remembered of one namespace. */
const MAX_PATTERNS = 64

interface Invalidated {
  /** The fence's number since. */
  readonly number: number
  readonly fits: (wholeKey: string) => boolean
}

interface Log {
  /** Everything that was invalidated by a pattern after this number stands here. */
  since: number
  readonly patterns: Invalidated[]
}

/**
 * Which patterns were invalidated since an entry was loaded.
 *
 * A pattern cannot leave a tombstone under keys that nobody has named, so a load that is under way somewhere could land behind it. Therefore every namespace has a
 * fence: a tag whose number grows with each pattern. An entry with the present number is good. One with a smaller number was loaded before, and is good if this process knows all
 * patterns since and none of them fits; whoever does not know them takes it for invalid.
 */
export class PatternLog {
  readonly #logs = new Map<string, Log>()

  /** Patterns were invalidated, and the fence has this number since. */
  note(fence: string, number: number, patterns: readonly string[]): void {
    const log = this.#logs.get(fence) ?? this.#begin(fence, number)
    for (const pattern of patterns) log.patterns.push({ number, fits: matcherOf(pattern) })
    for (const dropped of log.patterns.splice(0, Math.max(0, log.patterns.length - MAX_PATTERNS)))
      log.since = Math.max(log.since, dropped.number)
  }

  /** The fence has a number that no pattern came with: what led to it is not known. */
  lose(fence: string, number: number): void {
    const log = this.#logs.get(fence)
    if (!log || number > this.#latest(log)) this.#begin(fence, number)
  }

  /** Whether an entry with an older number is good all the same. */
  spares(fence: string, number: number, present: number, wholeKey: string): boolean {
    const log = this.#logs.get(fence)
    if (!log || number < log.since || this.#latest(log) < present) return false
    return !log.patterns.some((pattern) => pattern.number > number && pattern.fits(wholeKey))
  }

  #begin(fence: string, since: number): Log {
    const log = { since, patterns: [] }
    this.#logs.set(fence, log)
    return log
  }

  #latest({ since, patterns }: Log): number {
    return patterns.at(-1)?.number ?? since
  }
}

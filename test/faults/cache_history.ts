import { systemClock } from '@tailwater/core'

/** A value that was read although a newer one had long been announced. */
export interface StaleRead {
  key: string
  value: number
  /** The version whose invalidation was confirmed before the read began. */
  expected: number
  /** Milliseconds between that confirmation and the beginning of the read. */
  late: number
}

/** The source of truth: versions that only grow, and when the invalidation of each was confirmed. */
export class CacheHistory {
  readonly stale: StaleRead[] = []
  reads = 0
  writes = 0
  /** Largest age, in milliseconds, of a confirmed invalidation that a read had not seen. */
  worst = 0
  readonly #versions = new Map<string, number>()
  readonly #confirmed = new Map<string, { version: number; at: number }[]>()

  version(key: string): number {
    return this.#versions.get(key) ?? 0
  }

  /** A new version is in the source; its invalidation is yet to come. */
  write(key: string): void {
    this.writes++
    this.#versions.set(key, this.version(key) + 1)
  }

  /** The versions that an invalidation begun now is about. */
  snapshot(keys: readonly string[]): Map<string, number> {
    return new Map(keys.map((key) => [key, this.version(key)]))
  }

  /** The invalidation of these versions has been confirmed. */
  confirm(versions: ReadonlyMap<string, number>): void {
    const at = systemClock.elapsed()
    for (const [key, version] of versions) {
      const list = this.#confirmed.get(key) ?? []
      list.push({ version, at })
      this.#confirmed.set(key, list)
    }
  }

  /** Judges a read that began at a moment. @param bound milliseconds after which an invalidation must have reached everybody */
  judge(key: string, value: number, startedAt: number, bound: number): void {
    this.reads++
    for (const { version, at } of this.#confirmed.get(key) ?? []) {
      if (version <= value || at > startedAt) continue
      const late = startedAt - at
      this.worst = Math.max(this.worst, late)
      if (late >= bound) this.stale.push({ key, value, expected: version, late: Math.round(late) })
    }
  }
}

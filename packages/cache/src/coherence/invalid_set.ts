/** What is to be invalidated: whole keys, tags, and patterns of whole keys. */
export class InvalidSet {
  readonly keys = new Set<string>()
  readonly tags = new Set<string>()
  readonly patterns = new Set<string>()

  static of(keys: Iterable<string> = [], tags: Iterable<string> = [], patterns: Iterable<string> = []): InvalidSet {
    const set = new InvalidSet()
    for (const key of keys) set.keys.add(key)
    for (const tag of tags) set.tags.add(tag)
    for (const pattern of patterns) set.patterns.add(pattern)
    return set
  }

  get size(): number {
    return this.keys.size + this.tags.size + this.patterns.size
  }

  add(other: InvalidSet): void {
    for (const key of other.keys) this.keys.add(key)
    for (const tag of other.tags) this.tags.add(tag)
    for (const pattern of other.patterns) this.patterns.add(pattern)
  }
}

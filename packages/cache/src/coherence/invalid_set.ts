import { namespaceOf } from '../key.ts'
import { fenceTag, isFence } from '../tag_name.ts'

/** What is to be invalidated: whole keys, tags, and patterns of whole keys, which bring the fences of their namespaces with them. */
export class InvalidSet {
  readonly keys = new Set<string>()
  readonly tags = new Set<string>()
  readonly patterns = new Set<string>()

  static of(keys: Iterable<string> = [], tags: Iterable<string> = [], patterns: Iterable<string> = []): InvalidSet {
    const set = new InvalidSet()
    for (const key of keys) set.keys.add(key)
    for (const tag of tags) set.tags.add(tag)
    for (const pattern of patterns) {
      set.patterns.add(pattern)
      set.tags.add(fenceTag(namespaceOf(pattern)))
    }
    return set
  }

  get size(): number {
    return this.keys.size + this.tags.size + this.patterns.size
  }

  /** The tags without the cache's own bookkeeping. */
  namedTags(): string[] {
    return [...this.tags].filter((tag) => !isFence(tag))
  }

  add(other: InvalidSet): void {
    for (const key of other.keys) this.keys.add(key)
    for (const tag of other.tags) this.tags.add(tag)
    for (const pattern of other.patterns) this.patterns.add(pattern)
  }
}

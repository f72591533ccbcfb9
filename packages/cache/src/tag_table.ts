import type { Tag } from './tag.ts'

/** A tag with what the table needs to know of it. */
class KnownTag implements Tag {
  readonly name: string
  invalidatedAt = 0
  number: number | undefined = undefined
  /** `Clock.elapsed` at which the number was the store's. */
  knownAt = Number.NEGATIVE_INFINITY
  /** Taken since the last look for one to forget. */
  isUsed = true
  /** The cache's own, of which there are few: never forgotten. */
  readonly isLasting: boolean

  constructor(name: string) {
    this.name = name
    this.isLasting = name.startsWith('@')
  }
}

/** Tags remembered at most. */
const MAX_TAGS = 100_000

/**
 * The tags that this process knows of.
 *
 * Invalidating one is one write: entries hold the tag itself and compare. So a tag may be forgotten only together with the entries that hold it:
 * it is marked as invalidated for ever, and who asks for its name gets a new one, invalidated just now, because it is not known whether it was while a load ran.
 */
export class TagTable {
  /** How many invalidations of tags this process has heard of or made. */
  sequence = 0
  /** Grows with whatever may change a judgement of tags: a number, a doubt, a tag that is known no more. */
  changes = 0
  /** The greatest number of the store's counter that this process has seen. */
  greatest = 0
  readonly #tags = new Map<string, KnownTag>()
  readonly #maxTags: number
  #forgotten = false
  /** Numbers from before are not certain: messages may have been missed since. */
  #doubtedAt = Number.NEGATIVE_INFINITY

  constructor(maxTags = MAX_TAGS) {
    this.#maxTags = maxTags
  }

  get size(): number {
    return this.#tags.size
  }

  /** The tag of a name, made if there is none. */
  take(name: string): Tag {
    const known = this.#tags.get(name)
    if (known) {
      known.isUsed = true
      return known
    }
    if (this.#tags.size >= this.#maxTags) this.#forgetOne()
    const tag = new KnownTag(name)
    if (this.#forgotten) tag.invalidatedAt = this.sequence
    this.#tags.set(name, tag)
    return tag
  }

  /** Makes what has the tag void, and what is being loaded with it. @param number the store's new number of it, if it is known */
  invalidate(name: string, number: number | undefined, now: number): void {
    this.sequence++
    // A tag that nobody here has taken is in no entry; but a load that names it only at its end must learn of this.
    const tag = this.take(name) as KnownTag
    this.changes++
    tag.invalidatedAt = this.sequence
    if (number === undefined) tag.number = undefined
    else this.learn(name, number, now)
  }

  /** Takes note of a number that was the store's `at` a time. Numbers only grow, so an answer that was overtaken changes nothing. */
  learn(name: string, number: number, at: number): void {
    if (number > this.greatest) this.greatest = number
    if (at < this.#doubtedAt) return
    const tag = this.take(name) as KnownTag
    if (tag.number !== undefined && tag.number > number) return
    this.changes++
    tag.number = number
    tag.knownAt = Math.max(tag.knownAt, at)
  }

  /** The number of a tag if it was the store's at `since` or later. */
  numberOf(tag: Tag, since: number): number | undefined {
    return (tag as KnownTag).knownAt >= since ? tag.number : undefined
  }

  /** When the number of a tag was last fetched or told. */
  knownAt(tag: Tag): number {
    return (tag as KnownTag).knownAt
  }

  /** No number is certain: messages were missed. */
  doubtAll(now: number): void {
    this.#doubtedAt = now
    this.changes++
    for (const tag of this.#tags.values()) tag.number = undefined
  }

  #forgetOne(): void {
    for (const [name, tag] of this.#tags) {
      this.#tags.delete(name)
      if (tag.isLasting || tag.isUsed) {
        tag.isUsed = false
        this.#tags.set(name, tag)
        continue
      }
      tag.invalidatedAt = Number.POSITIVE_INFINITY
      this.changes++
      this.#forgotten = true
      return
    }
  }
}

/** Whether none of an entry's tags was invalidated after its load began. */
export function areTagsValid(tags: readonly Tag[], sequence: number): boolean {
  for (const tag of tags) if (tag.invalidatedAt > sequence) return false
  return true
}

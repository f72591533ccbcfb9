import { namespaceOf } from '../key.ts'
import { EVERYTHING, namespaceTag } from '../tag_name.ts'

/** Keys that may be waiting to be invalidated; beyond, their whole namespaces are. */
const MAX_KEYS = 10_000
/** Tags likewise; beyond, everything is. */
const MAX_TAGS = 10_000

/** Keys and tags, each once. */
export interface Invalid {
  readonly keys: ReadonlySet<string>
  readonly tags: ReadonlySet<string>
}

/**
 * What is known to be invalid, and the far tier does not know it yet.
 *
 * Nothing of it is read from there, or written. It goes out at the next flush; if that fails it stays, bounded: of too many keys only the namespaces are
 * remembered, of too many tags that everything is invalid. Each key and tag stands here once, so a long outage costs no more than what it touched.
 */
export class Distrust {
  #keys = new Set<string>()
  #tags = new Set<string>()
  /** Those of a flush that is under way: it may fail, and they are invalid until it has not. */
  #leaving: Invalid | undefined

  get size(): number {
    return this.#keys.size + this.#tags.size + (this.#leaving ? this.#leaving.keys.size + this.#leaving.tags.size : 0)
  }

  add(keys: Iterable<string>, tags: Iterable<string>): void {
    for (const key of keys) this.#keys.add(key)
    for (const tag of tags) this.#tags.add(tag)
    if (this.#keys.size > MAX_KEYS) {
      for (const key of this.#keys) this.#tags.add(namespaceTag(namespaceOf(key)))
      this.#keys.clear()
    }
    if (this.#tags.size > MAX_TAGS) this.#tags = new Set([EVERYTHING])
  }

  holdsKey(key: string): boolean {
    return (this.#keys.size > 0 && this.#keys.has(key)) || this.#leaving?.keys.has(key) === true
  }

  get hasTags(): boolean {
    return this.#tags.size > 0 || (this.#leaving !== undefined && this.#leaving.tags.size > 0)
  }

  holdsTag(tag: string): boolean {
    return this.#tags.has(tag) || this.#leaving?.tags.has(tag) === true
  }

  /** Hands everything to `send`; what it fails with is thrown, and nothing is forgotten. One at a time. */
  async flush<T>(send: (invalid: Invalid) => Promise<T>): Promise<T> {
    const leaving = { keys: this.#keys, tags: this.#tags }
    this.#leaving = leaving
    this.#keys = new Set()
    this.#tags = new Set()
    try {
      const result = await send(leaving)
      this.#leaving = undefined
      return result
    } catch (error) {
      this.#leaving = undefined
      this.add(leaving.keys, leaving.tags)
      throw error
    }
  }
}

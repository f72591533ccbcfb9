import type { Cancel } from '@tailwater/core'
import type { CacheCore } from '../core.ts'
import { matcherOf, namespaceOf, wholeKeyOf } from '../key.ts'
import type { NearTier } from '../near/near_tier.ts'
import type { Space } from '../space.ts'
import { fenceTag, isFence } from '../tag_name.ts'
import type { Follower } from './follower.ts'
import type { InvalidSet } from './invalid_set.ts'

/** The namespaces of a process, by name. */
export type Spaces = ReadonlyMap<string, Space>

/** What an invalidation does in this process: entries go, what is being loaded is not kept. */
export class NearEffects {
  readonly #core: CacheCore
  readonly #spaces: Spaces
  readonly #followers = new Set<Follower>()

  constructor(core: CacheCore, spaces: Spaces) {
    this.#core = core
    this.#spaces = spaces
  }

  /** @param numbers the store's new numbers of tags, where they are known */
  apply(set: InvalidSet, numbers: ReadonlyMap<string, number>): void {
    const { keys, tags, patterns } = set
    const { flights, tags: table, clock } = this.#core
    for (const key of keys) {
      flights.invalidate(key)
      this.#drop(key)
    }
    for (const tag of tags) table.invalidate(tag, numbers.get(tag), clock.elapsed())
    for (const pattern of patterns) this.#applyPattern(matcherOf(pattern))
    this.#noteFences(tags, patterns, numbers)
    for (const follower of this.#followers) follower.forget(set)
  }

  /** Messages were missed: nothing that was derived from earlier ones holds. */
  forgetAll(): void {
    const { flights, tags, clock } = this.#core
    for (const near of this.tiers()) near.clear()
    flights.invalidateAll(() => true)
    tags.doubtAll(clock.elapsed())
    for (const follower of this.#followers) follower.forgetAll()
  }

  /** Tells a follower from now on; the result ends it. */
  tell(follower: Follower): Cancel {
    this.#followers.add(follower)
    return () => void this.#followers.delete(follower)
  }

  /** The tier that namespaces share, and those of their own. */
  tiers(): Set<NearTier> {
    return new Set([this.#core.near, ...[...this.#spaces.values()].map(({ near }) => near)])
  }

  #drop(key: string): void {
    const space = this.#spaces.get(namespaceOf(key))
    space?.near.delete(space.form.near + key.slice(space.form.whole.length))
  }

  /** A fence that grew with patterns that are known spares the rest of its namespace. */
  #noteFences(tags: ReadonlySet<string>, patterns: ReadonlySet<string>, numbers: ReadonlyMap<string, number>): void {
    const log = this.#core.numbers?.patterns
    if (!log) return
    for (const fence of tags) {
      const number = isFence(fence) ? numbers.get(fence) : undefined
      if (number === undefined) continue
      const own = [...patterns].filter((pattern) => fenceTag(namespaceOf(pattern)) === fence)
      if (own.length > 0) log.note(fence, number, own)
      else log.lose(fence, number)
    }
  }

  #applyPattern(fits: (key: string) => boolean): void {
    this.#core.flights.invalidateAll(fits)
    const { near: shared } = this.#core
    for (const key of shared.keys()) if (fits(wholeKeyOf(key))) shared.delete(key)
    for (const { near, form } of this.#spaces.values())
      if (near !== shared) for (const key of near.keys()) if (fits(form.whole + key)) near.delete(key)
  }
}

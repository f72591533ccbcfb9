import { backgroundError } from '@tailwater/core'
import type { CacheCore } from './core.ts'
import { type CacheEntry, calmFor } from './entry.ts'
import type { EnvelopeTag } from './envelope/envelope.ts'
import type { EnvelopeFormat } from './envelope/format.ts'
import type { Judgement } from './far_tier/tag_numbers.ts'
import type { KeyForm } from './key.ts'
import { deepFreeze } from './near/freeze.ts'
import type { NearTier } from './near/near_tier.ts'
import { sizeOf } from './near/size_of.ts'
import type { Life, Policy } from './policy.ts'
import { type StandardSchema, validate } from './standard_schema.ts'
import { Counts } from './statistics.ts'
import type { Tag } from './tag.ts'
import { areTagsValid } from './tag_table.ts'

/** What a namespace is made from. */
export interface SpaceOptions {
  name: string
  core: CacheCore
  form: KeyForm
  /** Its own, or the one that all share. */
  near: NearTier
  policy: Policy
  /** How its values stand in the far tier; undefined if they do not. */
  format: EnvelopeFormat | undefined
  schema: StandardSchema | undefined
  /** The cache's and its own: every entry has them. */
  ownTags: readonly Tag[]
  /** Of its far entries alone: grows with each pattern. */
  fence: Tag
}

/** A value that is about to be kept. */
export interface Keeping {
  readonly key: string
  readonly value: unknown
  readonly life: Life
  /** With the namespace's own. */
  readonly tags: readonly Tag[]
  /** The count of invalidations when the value was the store's. */
  readonly sequence: number
  /** `Clock.elapsed` when the value was the store's. */
  readonly checkedAt: number
  /** `Clock.elapsed` from which its life counts. */
  readonly bornAt: number
  readonly bytes: number
}

/** One namespace in this process: where its entries are, how they are made, and what has been counted. */
export class Space {
  readonly name: string
  readonly core: CacheCore
  readonly form: KeyForm
  readonly near: NearTier
  readonly format: EnvelopeFormat | undefined
  readonly schema: StandardSchema | undefined
  readonly ownTags: readonly Tag[]
  readonly #farTags: readonly Tag[]
  readonly counts = new Counts()
  /** Changed while the process runs. */
  policy: Policy
  /** Share of the far tier's late answers that were nothing, the latest counting most: what the next one will probably be. */
  missShare = 0
  /** Of the tags that were last found valid. */
  #judgement: Judgement | undefined
  /** Its keys stand as they are in the near tier. */
  readonly #isBare: boolean
  #hasReportedValue = false

  constructor({ name, core, form, near, policy, format, schema, ownTags, fence }: SpaceOptions) {
    this.name = name
    this.core = core
    this.form = form
    this.#isBare = form.near === ''
    this.near = near
    this.policy = policy
    this.format = format
    this.schema = schema
    this.ownTags = ownTags
    this.#farTags = [...ownTags, fence]
  }

  /** The tags that an envelope carries. @param tags beside the namespace's own */
  farTags(tags: readonly Tag[]): readonly Tag[] {
    return tags.length === 0 ? this.#farTags : [...this.#farTags, ...tags]
  }

  /** The tags that a near entry has. @param tags beside the namespace's own */
  nearTags(tags: readonly Tag[]): readonly Tag[] {
    return tags.length === 0 ? this.ownTags : [...this.ownTags, ...tags]
  }

  /** The entry to be served at once: fresh, not due for a refresh, valid, and trusted. Allocates nothing. */
  find(nearKey: string): CacheEntry | undefined {
    const entry = this.near.get(nearKey) as CacheEntry | undefined
    // No key of this namespace begins with a NUL, but those of others do in a tier that they share.
    if (entry === undefined || (this.#isBare && nearKey.charCodeAt(0) === 0)) return undefined
    const { moments, tags, trust } = this.core
    const now = moments.now()
    const isCalm = now < entry.calmUntil && trust.holds(entry.checkedAt, now)
    return isCalm && (entry.sequence === tags.sequence || areTagsValid(entry.tags, entry.sequence)) ? entry : undefined
  }

  /** The judgement of tags that are valid for certain and without a question; undefined where that takes more to tell. */
  judge(tags: readonly EnvelopeTag[]): Judgement | undefined {
    const judgement = this.core.numbers!.judge(tags, this.#judgement)
    if (judgement) this.#judgement = judgement
    return judgement
  }

  /** What there is within grace, valid but perhaps stale or not trusted; what is void or too old goes. */
  remains(nearKey: string, now: number): CacheEntry | undefined {
    const entry = this.near.peek(nearKey) as CacheEntry | undefined
    if (entry === undefined) return undefined
    if (now < entry.usableUntil && areTagsValid(entry.tags, entry.sequence)) return entry
    this.near.delete(nearKey)
    return undefined
  }

  /** An entry of a value. */
  entryOf({ key, value, life, tags, sequence, checkedAt, bornAt, bytes }: Keeping): CacheEntry {
    // Whole numbers stand in the entry itself; any other would be an object of its own.
    const freshUntil = Math.round(bornAt + life.ttl)
    return {
      key: this.form.near + key,
      value,
      freshUntil,
      usableUntil: Math.round(freshUntil + life.grace),
      checkedAt: Math.floor(checkedAt),
      sequence,
      tags,
      bytes,
      calmUntil: Math.round(bornAt + calmFor(life.ttl, this.policy.eagerRefresh)),
      isStale: false,
      answer: undefined,
    }
  }

  /** Keeps an entry near, unless one of its tags was invalidated meanwhile. */
  keep(entry: CacheEntry): void {
    if (this.core.freeze) deepFreeze(entry.value)
    this.near.set(entry)
  }

  /** The value as its schema has it. @throws E_CACHE_SCHEMA */
  checked(value: unknown, key: string): unknown {
    return this.schema && value !== undefined && value !== null ? validate(this.schema, value, key) : value
  }

  /** Its size in memory: for what has an envelope a multiple of that, which costs nothing. */
  weight(key: string, value: unknown, envelope: Buffer | undefined): number {
    return key.length * 2 + (envelope ? envelope.length * 2 : sizeOf(value))
  }

  /**
   * A value's envelope, as a promise where it is large; undefined if it is not for the far tier.
   * @throws E_CACHE_VALUE
   */
  envelopeOf(
    key: string,
    value: unknown,
    { ttl, grace }: Life,
    tags: readonly EnvelopeTag[],
  ): Buffer | undefined | Promise<Buffer | undefined> {
    const { far, maxFarBytes } = this.core
    if (!this.format || !far) return undefined
    const meta = { created: far.now(), fresh: ttl, usable: ttl + grace, tags }
    const accepted = (bytes: Buffer) => {
      if (bytes.length <= maxFarBytes) return bytes
      this.counts.refused++
      return undefined
    }
    const bytes = this.format.encode(this.form.whole + key, value, meta)
    return bytes instanceof Promise ? bytes.then(accepted) : accepted(bytes)
  }

  /** A value that its loader's callers have, and the far tier cannot have: told of once, because every load of it will fail so. */
  refuse(error: Error): void {
    this.counts.refused++
    if (this.#hasReportedValue) return
    this.#hasReportedValue = true
    if (backgroundError.hasSubscribers) backgroundError.publish({ source: `cache ${this.name}`, error })
  }
}

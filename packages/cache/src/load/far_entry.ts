import { type CacheEntry, calmFor } from '../entry.ts'
import type { Envelope } from '../envelope/envelope.ts'
import type { Judgement } from '../far_tier/tag_numbers.ts'
import type { Space } from '../space.ts'
import type { Tag } from '../tag.ts'
import { isFence } from '../tag_name.ts'

/** What was known when the far tier was asked. */
export interface Asked {
  /** `Clock.elapsed` then. */
  readonly askedAt: number
  /** The count of invalidations then. */
  readonly sequence: number
}

/** What the far tier had under a key. */
export interface FarFind {
  readonly space: Space
  /** Without its namespace. */
  readonly key: string
  readonly envelope: Envelope
  readonly value: unknown
  readonly asked: Asked
  /** Undefined for tags that were judged the long way. */
  readonly judgement: Judgement | undefined
  readonly eagerRefresh: number
  /** `Clock.elapsed`. */
  readonly now: number
}

/** The near entry of what the far tier had; undefined for what the namespace's schema refuses: it is of another release. */
export function farEntryOf(find: FarFind): CacheEntry | undefined {
  const { space, key, envelope, asked, judgement, now } = find
  const { far, numbers } = space.core
  let value: unknown
  try {
    value = space.checked(find.value, key)
  } catch {
    return undefined
  }
  const { created, fresh, usable, tags, bytes } = envelope
  const bornAt = now - Math.max(0, far!.now(now) - created)
  const certainAt = judgement ? numbers!.judgedAt(judgement) : numbers!.certainAt(tags)
  return {
    key: space.form.near + key,
    value,
    freshUntil: Math.round(bornAt + fresh),
    usableUntil: Math.round(bornAt + usable),
    checkedAt: Math.floor(Math.min(asked.askedAt, certainAt)),
    sequence: asked.sequence,
    tags: judgement ? judgement.near : nearTags(space, tags),
    bytes: space.weight(key, value, bytes),
    calmUntil: Math.round(bornAt + calmFor(fresh, find.eagerRefresh)),
    isStale: false,
    answer: undefined,
  }
}

function nearTags({ core }: Space, tags: Envelope['tags']): readonly Tag[] {
  return tags.filter(({ name }) => !isFence(name)).map(({ name }) => core.tags.take(name))
}

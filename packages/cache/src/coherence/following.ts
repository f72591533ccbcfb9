import { type Cancel, optionsError } from '@tailwater/core'
import type { CacheCore } from '../core.ts'
import type { Follower } from './follower.ts'
import type { NearEffects } from './near_effects.ts'

/** What a follower may ask. */
export interface Following {
  /** For how many milliseconds what was read from the source may be believed: without end while the bus tells of everything. */
  believedFor(): number
  /** Whether the far tier has yet to learn that one of these whole keys or tags is invalid: what it has of them is old. */
  isOwed(keys: Iterable<string>, tags: Iterable<string>): boolean
  end(): void
}

/** Lets a follower hear what is invalidated. @throws E_OPTIONS */
export function follow(core: CacheCore, effects: NearEffects, follower: Follower): Following {
  if (typeof follower?.forget !== 'function' || typeof follower.forgetAll !== 'function')
    throw optionsError('cache.follow', 'given an object with forget and forgetAll', follower)
  const end: Cancel = effects.tell(follower)
  const { trust, far, clock } = core
  return {
    believedFor() {
      const now = clock.elapsed()
      return now - trust.believedSince(now)
    },
    isOwed(keys, tags) {
      if (!far) return false
      for (const key of keys) if (!far.isTrusted(key)) return true
      for (const tag of tags) if (!far.isTagTrusted(tag)) return true
      return false
    },
    end,
  }
}

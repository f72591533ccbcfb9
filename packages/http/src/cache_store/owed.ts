/** What is to be forgotten. */
export interface Forgetting {
  keys: readonly string[]
  tags: readonly string[]
}

/** How a store forgets. */
export interface ForgettingStore {
  keys(keys: readonly string[]): Promise<unknown>
  tags(tags: readonly string[]): Promise<unknown>
  /** The tag that everything has. */
  everything: string
}

/** Invalidations that a store could not be told of. */
export interface Owed {
  /** Tells the store. @throws what the store says; then it is told again before anything is read */
  add(forgetting: Forgetting): Promise<void>
  /** Tells the store what it could not be told. @throws when it still cannot */
  pay(): Promise<void>
}

/** Names that are remembered; beyond, everything is forgotten. */
const MOST = 10_000

/** Remembers what a store that was away has missed, so that it is not believed before it has caught up. */
export function createOwed(store: ForgettingStore): Owed {
  let keys = new Set<string>()
  let tags = new Set<string>()
  let paying: Promise<void> | undefined

  async function tell(forgetting: Forgetting): Promise<void> {
    if (forgetting.keys.length > 0) await store.keys(forgetting.keys)
    if (forgetting.tags.length > 0) await store.tags(forgetting.tags)
  }

  async function payNow(): Promise<void> {
    const due = { keys: [...keys], tags: [...tags] }
    await tell(due)
    for (const key of due.keys) keys.delete(key)
    for (const tag of due.tags) tags.delete(tag)
  }

  return {
    async add(forgetting) {
      for (const key of forgetting.keys) keys.add(key)
      for (const tag of forgetting.tags) tags.add(tag)
      if (keys.size + tags.size > MOST) {
        keys = new Set()
        tags = new Set([store.everything])
      }
      await tell(forgetting)
      for (const key of forgetting.keys) keys.delete(key)
      for (const tag of forgetting.tags) tags.delete(tag)
    },
    async pay() {
      if (keys.size + tags.size === 0) return
      paying ??= payNow().finally(() => {
        paying = undefined
      })
      await paying
    },
  }
}

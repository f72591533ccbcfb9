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

/** What is owed, each name with the turn in which it was last added. */
interface Debts {
  readonly keys: Map<string, number>
  readonly tags: Map<string, number>
}

const noDebts = (): Debts => ({ keys: new Map(), tags: new Map() })

/** Remembers what a store that was away has missed, so that it is not believed before it has caught up. */
export function createOwed(store: ForgettingStore): Owed {
  let debts = noDebts()
  let turn = 0
  let paying: Promise<void> | undefined

  function note({ keys, tags }: Forgetting): Debts {
    turn++
    const noted = noDebts()
    for (const key of keys) noted.keys.set(key, turn)
    for (const tag of tags) noted.tags.set(tag, turn)
    for (const [key, at] of noted.keys) debts.keys.set(key, at)
    for (const [tag, at] of noted.tags) debts.tags.set(tag, at)
    if (debts.keys.size + debts.tags.size > MOST) debts = { keys: new Map(), tags: new Map([[store.everything, turn]]) }
    return noted
  }

  async function tell(due: Debts): Promise<void> {
    if (due.keys.size > 0) await store.keys([...due.keys.keys()])
    if (due.tags.size > 0) await store.tags([...due.tags.keys()])
    settle(debts.keys, due.keys)
    settle(debts.tags, due.tags)
  }

  return {
    add: (forgetting) => tell(note(forgetting)),
    async pay() {
      if (debts.keys.size + debts.tags.size === 0) return
      paying ??= tell({ keys: new Map(debts.keys), tags: new Map(debts.tags) }).finally(() => {
        paying = undefined
      })
      await paying
    },
  }
}

/** What was added again while it was being told stays: of that the store may not have heard. */
function settle(owed: Map<string, number>, told: ReadonlyMap<string, number>): void {
  for (const [name, at] of told) if (owed.get(name) === at) owed.delete(name)
}

/** The tags that responses had when they were last read, so that their numbers can be asked for together with them. */
export interface TagNames {
  of(id: string): readonly string[] | undefined
  /** Remembers them; the list that was remembered already if it says the same. */
  keep(id: string, names: readonly string[]): readonly string[]
}

/** Responses whose tags are remembered. */
const MOST = 5_000

/** Those that were kept last. */
export function createTagNames(): TagNames {
  const known = new Map<string, readonly string[]>()
  return {
    of: (id) => known.get(id),
    keep(id, names) {
      const before = known.get(id)
      const list = before && isSame(before, names) ? before : names
      known.delete(id)
      known.set(id, list)
      if (known.size > MOST) known.delete(known.keys().next().value!)
      return list
    },
  }
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, i) => name === other[i])
}

/** One round of one side. */
export type RunRound<T> = () => Promise<T>

/** The outcomes of both sides; those of one pair stand at the same place. */
export interface Pairs<T> {
  ours: T[]
  theirs: T[]
}

/**
 * Runs `count` pairs of rounds. Which side begins changes from pair to pair, so that neither always has the machine as the other left it.
 *
 * @param onPair told after each pair
 */
export async function runPairs<T>(
  count: number,
  { ours, theirs }: { ours: RunRound<T>; theirs: RunRound<T> },
  onPair: (done: number, outcome: { ours: T; theirs: T }) => void = () => {},
): Promise<Pairs<T>> {
  const pairs: Pairs<T> = { ours: [], theirs: [] }
  for (let pair = 0; pair < count; pair++) {
    const first = pair % 2 === 0 ? await ours() : undefined
    const other = await theirs()
    const own = first ?? (await ours())
    pairs.ours.push(own)
    pairs.theirs.push(other)
    onPair(pair + 1, { ours: own, theirs: other })
  }
  return pairs
}

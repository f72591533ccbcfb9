/** Positions of items in rounds in which no key comes twice: one statement cannot change a row twice. */
export function roundsOf(items: readonly { readonly key: string }[]): number[][] {
  const rounds: number[][] = []
  const seen = new Map<string, number>()
  for (const [index, { key }] of items.entries()) {
    const round = seen.get(key) ?? 0
    seen.set(key, round + 1)
    rounds[round] ??= []
    rounds[round].push(index)
  }
  return rounds
}

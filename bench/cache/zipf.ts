/** Numbers from 0 up to 1, the same for the same seed (the constants of Numerical Recipes). */
export function lcg(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/**
 * Ids drawn by Zipf's law: the k-th most popular of `ids` as often as 1 / k^`skew`. Popularity has nothing to do with the number, as in life.
 *
 * @returns `count` numbers below `ids`
 */
export function zipfSequence({
  ids,
  skew,
  count,
  seed,
}: {
  ids: number
  skew: number
  count: number
  seed: number
}): Uint32Array {
  const random = lcg(seed)
  const sums = new Float64Array(ids)
  for (let rank = 0, sum = 0; rank < ids; rank++) sums[rank] = sum += (rank + 1) ** -skew
  const idOfRank = shuffled(ids, random)
  return Uint32Array.from({ length: count }, () => idOfRank[rankOf(sums, random() * sums[ids - 1]!)]!)
}

function shuffled(count: number, random: () => number): Uint32Array {
  const numbers = Uint32Array.from({ length: count }, (_, number) => number)
  for (let at = count - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const number = numbers[at]!
    numbers[at] = numbers[other]!
    numbers[other] = number
  }
  return numbers
}

/** The first rank whose sum reaches the point. */
function rankOf(sums: Float64Array, point: number): number {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if (sums[middle]! < point) low = middle + 1
    else high = middle
  }
  return low
}

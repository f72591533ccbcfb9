import type { Level } from '../../message.ts'

/** Places of a level for one of the lowest. */
const WEIGHTS: Record<Level, number> = { critical: 8, high: 4, normal: 2, low: 1 }

/** A level that places are shared out to. */
export interface SharingLevel {
  readonly level: Level
  /** There may be messages in it. */
  isExpecting: boolean
  /** What it is owed: the state of smooth weighted round robin. */
  credit: number
}

/**
 * Shares free places out to the levels that may have messages, each by its weight: smooth weighted round robin (as nginx balances servers), so that
 * with one place at a time the turns of a level are spread, and none starves.
 */
export function sharePlaces(levels: readonly SharingLevel[], places: number): number[] {
  const shares = levels.map(() => 0)
  const hungry = levels.map((_, index) => index).filter((index) => levels[index]!.isExpecting)
  if (hungry.length <= 1) {
    for (const index of hungry) shares[index] = places
    return shares
  }
  const total = hungry.reduce((sum, index) => sum + WEIGHTS[levels[index]!.level], 0)
  for (let place = 0; place < places; place++) {
    let best = hungry[0]!
    for (const index of hungry) {
      const level = levels[index]!
      level.credit += WEIGHTS[level.level]
      if (level.credit > levels[best]!.credit) best = index
    }
    levels[best]!.credit -= total
    shares[best]!++
  }
  return shares
}

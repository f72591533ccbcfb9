import type { Level } from '../../message.ts'
import { Fifo } from './fifo.ts'

/** Turns of a level among the others while all have messages: each has twice those of the next lower one. */
export const WEIGHT: Readonly<Record<Level, number>> = { critical: 8, high: 4, normal: 2, low: 1 }

interface Lane<T> {
  readonly level: Level
  readonly items: Fifo<T>
  credit: number
}

/**
 * What has come of each level and is not given yet. Turns are dealt by smooth weighted round robin (as nginx's upstreams): at each turn every
 * level that has something gains its weight, and the richest one pays the sum of all; so turns are spread, not bunched.
 */
export class LevelBuffer<T> {
  readonly #lanes: Lane<T>[] = []

  constructor(levels: readonly Level[]) {
    for (const level of levels) this.#lanes.push({ level, items: new Fifo<T>(), credit: 0 })
  }

  get size(): number {
    return this.#lanes.reduce((sum, { items }) => sum + items.size, 0)
  }

  push(level: Level, item: T): void {
    this.#lanes.find((lane) => lane.level === level)!.items.push(item)
  }

  /** The item whose turn it is. */
  shift(): T | undefined {
    if (this.#lanes.length === 1) return this.#lanes[0]!.items.shift()
    let richest: Lane<T> | undefined
    let sum = 0
    for (const lane of this.#lanes) {
      if (lane.items.size === 0) continue
      lane.credit += WEIGHT[lane.level]
      sum += WEIGHT[lane.level]
      if (!richest || lane.credit > richest.credit) richest = lane
    }
    if (!richest) return undefined
    richest.credit -= sum
    return richest.items.shift()
  }

  /** Takes everything out. */
  clear(): T[] {
    return this.#lanes.flatMap(({ items }) => items.clear())
  }
}

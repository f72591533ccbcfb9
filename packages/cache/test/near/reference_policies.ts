import { Ghost } from '../../src/near/ghost.ts'
import { keyHash } from '../../src/near/key_hash.ts'
import type { EvictionPolicy } from '../../src/near/policy.ts'

/*
 * The policies as their papers tell them, on plain arrays: slow, and easy to read. Arrays go from the oldest to the newest.
 */

/** Takes the slot out of the list. */
function take(list: number[], slot: number): number {
  return list.splice(list.indexOf(slot), 1)[0]!
}

export class ReferenceLru implements EvictionPolicy {
  #order: number[] = []

  grow(): void {}

  insert(slot: number): void {
    this.#order.push(slot)
  }

  hit(slot: number): void {
    this.#order.push(take(this.#order, slot))
  }

  remove(slot: number): void {
    take(this.#order, slot)
  }

  victim(): number {
    return this.#order.shift()!
  }
}

export class ReferenceSieve implements EvictionPolicy {
  #order: number[] = []
  #marked = new Set<number>()
  /** Index in the order of the entry that is looked at next. */
  #hand = 0

  grow(): void {}

  insert(slot: number): void {
    this.#order.push(slot)
  }

  hit(slot: number): void {
    this.#marked.add(slot)
  }

  remove(slot: number): void {
    const at = this.#order.indexOf(slot)
    // The newest is gone: the hand begins again at the oldest, although something newer may come before it is moved.
    if (at === this.#hand && at === this.#order.length - 1) this.#hand = 0
    else if (at < this.#hand) this.#hand--
    this.#marked.delete(take(this.#order, slot))
  }

  victim(): number {
    while (this.#marked.delete(this.#order[this.#hand]!)) this.#hand = (this.#hand + 1) % this.#order.length
    const [slot] = this.#order.splice(this.#hand, 1)
    if (this.#hand === this.#order.length) this.#hand = 0
    return slot!
  }
}

export class ReferenceClock implements EvictionPolicy {
  /** Chances of each slot by its number; undefined for one that is not held. */
  #chances: (number | undefined)[] = []
  #hand = 0

  grow(slots: number): void {
    this.#chances.length = slots
  }

  insert(slot: number): void {
    this.#chances[slot] = 0
  }

  hit(slot: number): void {
    this.#chances[slot] = Math.min(3, this.#chances[slot]! + 1)
  }

  remove(slot: number): void {
    this.#chances[slot] = undefined
  }

  victim(): number {
    for (;;) {
      const slot = this.#hand
      this.#hand = (this.#hand + 1) % this.#chances.length
      const chances = this.#chances[slot]
      this.#chances[slot] = chances === 0 ? undefined : chances && chances - 1
      if (chances === 0) return slot
    }
  }
}

/** With the ghost of the real one, which is tested for itself. */
export class ReferenceS3Fifo implements EvictionPolicy {
  #small: number[] = []
  #main: number[] = []
  #reads = new Map<number, number>()
  #keys = new Map<number, string>()
  #ghost = new Ghost()

  grow(slots: number): void {
    this.#ghost.grow(slots)
  }

  insert(slot: number, key: string): void {
    const held = this.#small.length + this.#main.length
    const queue = this.#ghost.recall(keyHash(key), held) ? this.#main : this.#small
    queue.push(slot)
    this.#reads.set(slot, 0)
    this.#keys.set(slot, key)
  }

  hit(slot: number): void {
    this.#reads.set(slot, Math.min(7, this.#reads.get(slot)! + 1))
  }

  remove(slot: number): void {
    take(this.#small.includes(slot) ? this.#small : this.#main, slot)
  }

  victim(): number {
    const held = this.#small.length + this.#main.length
    for (;;) {
      const isSmallDue = this.#small.length >= held / 5
      const slot = (isSmallDue ? this.#small : this.#main).shift()!
      const reads = this.#reads.get(slot)!
      if (reads === 0) {
        if (isSmallDue) this.#ghost.remember(keyHash(this.#keys.get(slot)!))
        return slot
      }
      this.#main.push(slot)
      this.#reads.set(slot, isSmallDue ? 0 : reads - 1)
    }
  }
}

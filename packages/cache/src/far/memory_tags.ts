import type { FarTags } from './far_backend.ts'

/** Tags and their counter, in memory. */
export function createMemoryTags(now: () => number): FarTags {
  const numbers = new Map<string, number>()
  let counter = Math.floor(now() * 1_000)

  function numberOf(tag: string): number {
    const known = numbers.get(tag)
    if (known !== undefined) return known
    numbers.set(tag, counter)
    return counter
  }

  return {
    async numbers(tags, floor) {
      counter = Math.max(counter, floor)
      return tags.map(numberOf)
    },
    async invalidate(tags) {
      counter++
      for (const tag of tags) numbers.set(tag, counter)
      return counter
    },
    now: async () => counter,
  }
}

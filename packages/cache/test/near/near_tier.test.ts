import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { NearEntry } from '../../src/near/near_entry.ts'
import { createNearTier, type NearTierOptions } from '../../src/near/near_tier.ts'
import { S3Fifo } from '../../src/near/s3_fifo.ts'

const tierOf = (options: Partial<NearTierOptions> = {}) =>
  createNearTier({ maxEntries: 1_000, maxBytes: 1_000_000, policy: 'lru', ...options })

const entryOf = (key: string, more: Partial<NearEntry> = {}): NearEntry => ({
  key,
  value: key,
  freshUntil: 1_000,
  usableUntil: 1_000,
  checkedAt: 0,
  sequence: 0,
  tags: [],
  bytes: 100,
  ...more,
})

it('gives the very entry that was set, until it is deleted', () => {
  const tier = tierOf()
  const entry = entryOf('a')
  tier.set(entry)
  assert.equal(tier.get('a'), entry)
  assert.equal(tier.peek('a'), entry)
  assert.equal(tier.delete('a'), true)
  assert.equal(tier.delete('a'), false)
  assert.equal(tier.get('a'), undefined)
  assert.equal(tier.peek('a'), undefined)
})

it('an entry takes the place of the one under its key', () => {
  const tier = tierOf()
  tier.set(entryOf('a', { bytes: 700 }))
  tier.set(entryOf('a', { bytes: 300, value: 'second' }))
  assert.equal(tier.get('a')?.value, 'second')
  assert.deepEqual([tier.size, tier.bytes, tier.evictions], [1, 300, 0])
})

it('makes room by entries: the one that was not read goes', () => {
  const tier = tierOf({ maxEntries: 2 })
  tier.set(entryOf('a'))
  tier.set(entryOf('b'))
  tier.get('a')
  tier.set(entryOf('c'))
  assert.deepEqual([...tier.keys()], ['a', 'c'])
  assert.equal(tier.evictions, 1)
})

it('a peek does not count as use', () => {
  const tier = tierOf({ maxEntries: 2 })
  tier.set(entryOf('a'))
  tier.set(entryOf('b'))
  tier.peek('a')
  tier.set(entryOf('c'))
  assert.deepEqual([...tier.keys()], ['b', 'c'])
})

it('makes room by bytes: as many go as must', () => {
  const tier = tierOf({ maxBytes: 1_000 })
  for (const key of ['a', 'b', 'c', 'd']) tier.set(entryOf(key, { bytes: 250 }))
  tier.set(entryOf('e', { bytes: 600 }))
  assert.deepEqual([...tier.keys()], ['d', 'e'])
  assert.deepEqual([tier.bytes, tier.evictions], [850, 3])
})

it('an entry of exactly the whole tier is kept, alone', () => {
  const tier = tierOf({ maxBytes: 1_000 })
  tier.set(entryOf('a'))
  tier.set(entryOf('b', { bytes: 1_000 }))
  assert.deepEqual([...tier.keys()], ['b'])
})

it('an entry larger than the whole tier is not kept, costs no other its place, and what was under its key goes', () => {
  const tier = tierOf({ maxBytes: 1_000 })
  tier.set(entryOf('a'))
  tier.set(entryOf('b'))
  tier.set(entryOf('b', { bytes: 1_001 }))
  tier.set(entryOf('c', { bytes: 1_001 }))
  assert.deepEqual([...tier.keys()], ['a'])
  assert.deepEqual([tier.bytes, tier.evictions], [100, 0])
})

it('an entry that grows under its key makes the others go', () => {
  const tier = tierOf({ maxBytes: 1_000 })
  for (const key of ['a', 'b', 'c']) tier.set(entryOf(key, { bytes: 300 }))
  tier.set(entryOf('c', { bytes: 500 }))
  assert.deepEqual([...tier.keys()], ['b', 'c'])
  assert.deepEqual([tier.bytes, tier.evictions], [800, 1])
})

it('forgets everything at once, and goes on', () => {
  const tier = tierOf({ maxEntries: 3, policy: 's3-fifo' })
  for (const key of ['a', 'b', 'c', 'd']) tier.set(entryOf(key))
  tier.clear()
  assert.deepEqual([tier.size, tier.bytes, tier.get('d'), [...tier.keys()]], [0, 0, undefined, []])
  for (const key of ['a', 'b', 'c', 'd']) tier.set(entryOf(key))
  assert.deepEqual([tier.size, tier.bytes, tier.evictions], [3, 300, 2])
})

it('sweeps what is past its use, a few entries at a time', () => {
  const tier = tierOf()
  for (let number = 0; number < 100; number++) tier.set(entryOf(`${number}`, { usableUntil: number }))
  assert.equal(tier.sweep(49, 30), 30)
  assert.equal(tier.sweep(49, 30), 20)
  assert.equal(tier.sweep(49, 30), 0)
  assert.deepEqual([tier.size, tier.bytes, tier.evictions], [50, 5_000, 0])
  assert.equal(tier.get('49'), undefined)
  assert.equal(tier.get('50')?.usableUntil, 50)
})

it('a sweep begins again at the first entry when it has seen the last', () => {
  const tier = tierOf()
  for (const key of ['a', 'b', 'c']) tier.set(entryOf(key, { usableUntil: key === 'a' ? 20 : 10 }))
  assert.equal(tier.sweep(0, 2), 0)
  assert.equal(tier.sweep(20, 2), 2)
  assert.deepEqual([...tier.keys()], ['b'])
})

it('a sweep looks at no entry twice, however large its budget, and at none of an empty tier', () => {
  const everything = Number.POSITIVE_INFINITY
  const tier = tierOf()
  assert.equal(tier.sweep(5_000, everything), 0)
  tier.set(entryOf('a'))
  assert.equal(tier.sweep(999, everything), 0)
  assert.equal(tier.sweep(1_000, everything), 1)
})

it('an entry that is due at infinity is never swept', () => {
  const tier = tierOf()
  tier.set(entryOf('a', { usableUntil: Number.POSITIVE_INFINITY }))
  assert.equal(tier.sweep(Number.MAX_VALUE, 10), 0)
})

it('keys that come and go by the million leave only what the bounds allow', () => {
  const tier = tierOf({ maxEntries: 500, policy: 's3-fifo' })
  for (let number = 0; number < 1_000_000; number++) {
    tier.set(entryOf(`${number}`))
    if (number % 7 === 0) tier.delete(`${number - 3}`)
  }
  assert.ok(tier.size <= 500 && tier.size > 490)
  assert.equal(tier.bytes, 100 * tier.size)
  assert.equal([...tier.keys()].length, tier.size)
})

it('grows beyond the slots that it began with', () => {
  for (const policy of ['s3-fifo', 'lru', 'sieve', 'clock'] as const) {
    const tier = tierOf({ maxEntries: 5_000, policy })
    for (let number = 0; number < 6_000; number++) tier.set(entryOf(`${number}`))
    assert.deepEqual([tier.size, tier.evictions], [5_000, 1_000])
  }
})

it('takes a policy of the user', () => {
  const hits: number[] = []
  class Listening extends S3Fifo {
    override hit(slot: number): void {
      hits.push(slot)
      super.hit(slot)
    }
  }
  const tier = tierOf({ policy: () => new Listening() })
  tier.set(entryOf('a'))
  tier.get('a')
  tier.peek('a')
  tier.get('b')
  assert.deepEqual(hits, [0])
})

it('a hit allocates nothing', () => {
  const tier = tierOf({ policy: 's3-fifo' })
  tier.set(entryOf('a'))
  const hits = 100_000
  const grownBy = () => {
    const before = process.memoryUsage().heapUsed
    for (let hit = 0; hit < hits; hit++) tier.get('a')
    return process.memoryUsage().heapUsed - before
  }
  // The first rounds compile it; what the runner itself allocates meanwhile is a matter of luck.
  const least = Math.min(...Array.from({ length: 10 }, grownBy).filter((bytes) => bytes >= 0))
  assert.ok(least < hits, `${least} bytes in ${hits} hits`)
})

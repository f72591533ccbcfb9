import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Arc } from '../cache/policies/arc.ts'
import { FrequencySketch } from '../cache/policies/frequency_sketch.ts'
import type { CreateSimulated } from '../cache/policies/simulated_cache.ts'
import { TierSimulation } from '../cache/policies/tier_simulation.ts'
import { WTinyLfu } from '../cache/policies/w_tiny_lfu.ts'
import { zipfSequence } from '../cache/zipf.ts'

const KEYS = 2_000
const CAPACITY = 100

const policies: Record<string, CreateSimulated> = {
  'the near tier': (capacity, keys) => new TierSimulation('s3-fifo', capacity, keys),
  LRU: (capacity, keys) => new TierSimulation('lru', capacity, keys),
  ARC: (capacity, keys) => new Arc(capacity, keys),
  'W-TinyLFU': (capacity, keys) => new WTinyLfu(capacity, keys),
}

const popular = () => zipfSequence({ ids: KEYS, skew: 1, count: 100_000, seed: 1 })

function hitsOf(create: CreateSimulated, ids: Iterable<number>): number {
  const cache = create(CAPACITY, 10 * KEYS)
  let hits = 0
  for (const id of ids) if (cache.request(id)) hits++
  return hits
}

/** Popular keys, each followed by one that never comes again. */
function* withPasses(ids: Iterable<number>): Generator<number> {
  let passing = KEYS
  for (const id of ids) {
    yield id
    yield (passing++ % (9 * KEYS)) + KEYS
  }
}

for (const [name, create] of Object.entries(policies))
  describe(`${name} as a simulated cache`, () => {
    it('has a hit only on what was asked for before, and every hit while all keys fit', () => {
      const cache = create(CAPACITY, KEYS)
      const asked = new Set<number>()
      for (const id of popular().subarray(0, 20_000)) {
        const few = id % CAPACITY
        assert.equal(cache.request(few), asked.has(few))
        asked.add(few)
      }
      assert.equal(cache.size, CAPACITY)
    })

    it('never holds more than it may, and is full in the end', () => {
      const cache = create(CAPACITY, KEYS)
      for (const id of popular()) {
        cache.request(id)
        assert.ok(cache.size <= CAPACITY)
      }
      assert.equal(cache.size, CAPACITY)
    })
  })

it('the policies that resist a pass over many keys have more hits amid one than LRU', () => {
  const lru = hitsOf(policies['LRU']!, withPasses(popular()))
  for (const name of ['the near tier', 'ARC', 'W-TinyLFU'])
    assert.ok(hitsOf(policies[name]!, withPasses(popular())) > 1.1 * lru, name)
})

it('a sketch knows what was asked for often from what was not, and forgets in time', () => {
  const sketch = new FrequencySketch(100)
  for (let time = 0; time < 10; time++) sketch.add(7)
  sketch.add(8)
  assert.ok(sketch.frequency(7) >= 10)
  assert.ok(sketch.frequency(8) >= 1 && sketch.frequency(8) < 5)
  for (let key = 100; key < 2_100; key++) sketch.add(key)
  assert.ok(sketch.frequency(7) < 10)
})

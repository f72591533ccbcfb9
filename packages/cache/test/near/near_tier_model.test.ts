import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import type { NearEntry } from '../../src/near/near_entry.ts'
import { createNearTier, type NearTier } from '../../src/near/near_tier.ts'
import { policyNames } from '../../src/near/policy_choice.ts'

const bounds = { maxEntries: 8, maxBytes: 1_000 }

/** What the tier must hold: everything that was set, but for what it evicted. */
type Model = Map<string, NearEntry>

type Command = (tier: NearTier, model: Model) => void

const keys = fc.nat(20).map((number) => `key ${number}`)
const times = fc.nat(100)

const get = keys.map<Command>((key) => (tier, model) => assert.equal(tier.get(key), model.get(key)))
const remove = keys.map<Command>((key) => (tier, model) => assert.equal(tier.delete(key), model.delete(key)))
const clear = fc.constant<Command>((tier, model) => {
  tier.clear()
  model.clear()
})
const sweepAll = times.map<Command>((now) => (tier, model) => {
  const due = [...model.values()].filter((entry) => entry.usableUntil <= now)
  for (const { key } of due) model.delete(key)
  assert.equal(tier.sweep(now, 100), due.length)
})
const sweepSome = fc.tuple(times, fc.nat(5)).map<Command>(([now, budget]) => (tier, model) => {
  const count = tier.sweep(now, budget)
  const gone = [...model.values()].filter(({ key }) => tier.peek(key) === undefined)
  assert.ok(count <= budget && count === gone.length && gone.every((entry) => entry.usableUntil <= now))
  for (const { key } of gone) model.delete(key)
})
const set = fc
  .tuple(keys, fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 990, max: 1_010 })), times)
  .map<Command>(([key, bytes, usableUntil]) => (tier, model) => {
    const entry: NearEntry = { key, value: {}, freshUntil: 0, usableUntil, checkedAt: 0, sequence: 0, tags: [], bytes }
    const before = tier.evictions
    tier.set(entry)
    if (bytes > bounds.maxBytes) model.delete(key)
    else model.set(key, entry)
    checkEvictions(tier, model, tier.evictions - before)
  })

/** What the model has and the tier has not must have been evicted, and for want of room. */
function checkEvictions(tier: NearTier, model: Model, evictions: number): void {
  const gone = [...model.values()].filter(({ key }) => tier.peek(key) === undefined)
  assert.equal(gone.length, evictions)
  for (const { key } of gone) model.delete(key)
  const largest = Math.max(0, ...gone.map(({ bytes }) => bytes))
  const wouldFit = tier.size < bounds.maxEntries && tier.bytes + largest <= bounds.maxBytes
  assert.ok(evictions === 0 || !wouldFit, 'more was evicted than there was need for')
}

function checkWhole(tier: NearTier, model: Model): void {
  assert.deepEqual([...tier.keys()].sort(), [...model.keys()].sort())
  for (const [key, entry] of model) assert.equal(tier.peek(key), entry)
  assert.equal(tier.size, model.size)
  assert.equal(
    tier.bytes,
    [...model.values()].reduce((total, { bytes }) => total + bytes, 0),
  )
  assert.ok(tier.size <= bounds.maxEntries && tier.bytes <= bounds.maxBytes)
}

const lives = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: set },
    { weight: 12, arbitrary: get },
    { weight: 2, arbitrary: remove },
    { weight: 1, arbitrary: sweepAll },
    { weight: 2, arbitrary: sweepSome },
    { weight: 1, arbitrary: clear },
  ),
  { maxLength: 300, size: 'max' },
)

for (const policy of policyNames)
  it(`with ${policy} it holds what was set and not evicted, within its bounds, after any life`, () => {
    fc.assert(
      fc.property(lives, (life) => {
        const tier = createNearTier({ ...bounds, policy })
        const model: Model = new Map()
        for (const command of life) {
          command(tier, model)
          checkWhole(tier, model)
        }
      }),
      { numRuns: 150 },
    )
  })

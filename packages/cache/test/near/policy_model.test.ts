import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { Lru } from '../../src/near/lru.ts'
import type { EvictionPolicy, EvictionPolicyFactory } from '../../src/near/policy.ts'
import { S3Fifo } from '../../src/near/s3_fifo.ts'
import { SecondChance } from '../../src/near/second_chance.ts'
import { Sieve } from '../../src/near/sieve.ts'
import { ReferenceClock, ReferenceLru, ReferenceS3Fifo, ReferenceSieve } from './reference_policies.ts'

const SLOTS = 12

/** What may happen to a policy; which slot it happens to is a number that is taken modulo how many there are. */
type Step = readonly ['insert' | 'hit' | 'remove' | 'victim', number]

const steps = fc.array(
  fc.tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('insert' as const) },
      { weight: 6, arbitrary: fc.constant('hit' as const) },
      { weight: 1, arbitrary: fc.constant('remove' as const) },
      { weight: 2, arbitrary: fc.constant('victim' as const) },
    ),
    fc.nat(39),
  ),
  { minLength: 20, maxLength: 400, size: 'max' },
)

/** Plays a life, and tells every victim. */
function victimsOf(policy: EvictionPolicy, life: readonly Step[]): number[] {
  const victims: number[] = []
  const free = Array.from({ length: SLOTS }, (_, slot) => slot)
  const held: number[] = []
  const evict = () => {
    const slot = policy.victim()
    victims.push(slot)
    free.push(...held.splice(held.indexOf(slot), 1))
  }
  policy.grow(SLOTS)
  for (const [what, number] of life) {
    const at = number % Math.max(1, held.length)
    if (what === 'insert') {
      if (free.length === 0) evict()
      const slot = free.pop()!
      policy.insert(slot, `key ${number}`)
      held.push(slot)
    } else if (held.length > 0) {
      if (what === 'victim') evict()
      else policy[what](held[at]!)
      if (what === 'remove') free.push(...held.splice(at, 1))
    }
  }
  while (held.length > 0) evict()
  return victims
}

const pairs: [name: string, ours: EvictionPolicyFactory, reference: EvictionPolicyFactory][] = [
  ['LRU', () => new Lru(), () => new ReferenceLru()],
  ['SIEVE', () => new Sieve(), () => new ReferenceSieve()],
  ['CLOCK', () => new SecondChance(), () => new ReferenceClock()],
  ['S3-FIFO', () => new S3Fifo(), () => new ReferenceS3Fifo()],
]

for (const [name, ours, reference] of pairs)
  it(`${name} evicts what the policy on plain arrays does, in the same order`, () => {
    fc.assert(
      fc.property(steps, (life) => {
        assert.deepEqual(victimsOf(ours(), life), victimsOf(reference(), life))
      }),
      { numRuns: 500 },
    )
  })

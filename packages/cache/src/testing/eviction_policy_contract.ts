import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EvictionPolicy, EvictionPolicyFactory } from '../near/policy.ts'

const SLOTS = 50
const STEPS = 20_000
/** Of steps: enough removals that lists have gaps, and hits enough that few entries are cold. */
const REMOVALS = 0.1
const HITS = 0.6

/**
 * What every `EvictionPolicy` promises.
 *
 * @example
 * evictionPolicyContract('my policy', () => new MyPolicy())
 */
export function evictionPolicyContract(name: string, create: EvictionPolicyFactory): void {
  describe(`${name} keeps the EvictionPolicy contract`, () => {
    it('each slot that it holds is the victim once', () => {
      const policy = holding(create, SLOTS)
      assert.deepEqual(victims(policy, SLOTS), all(SLOTS))
    })

    it('finds a victim where every entry was read many times', () => {
      const policy = holding(create, SLOTS)
      for (let round = 0; round < 20; round++) for (const slot of all(SLOTS)) policy.hit(slot)
      assert.deepEqual(victims(policy, SLOTS), all(SLOTS))
    })

    it('a slot that was removed is not a victim', () => {
      const policy = holding(create, SLOTS)
      for (const slot of all(SLOTS)) if (slot % 3 !== 0) policy.remove(slot)
      const left = all(SLOTS).filter((slot) => slot % 3 === 0)
      assert.deepEqual(victims(policy, left.length), left)
    })

    it('holds a single slot again and again', () => {
      const policy = create()
      policy.grow(1)
      for (let round = 0; round < 20; round++) {
        policy.insert(0, `key ${round % 3}`)
        if (round % 2 === 0) policy.hit(0)
        if (round % 5 === 0) policy.remove(0)
        else assert.equal(policy.victim(), 0)
      }
    })

    it('grows while it holds entries, and loses none', () => {
      const policy = holding(create, SLOTS)
      for (const slot of all(SLOTS / 2)) policy.hit(slot)
      policy.grow(4 * SLOTS)
      for (const slot of all(4 * SLOTS).slice(SLOTS)) policy.insert(slot, `key ${slot}`)
      assert.deepEqual(victims(policy, 4 * SLOTS), all(4 * SLOTS))
    })

    it('loses no slot and invents none in a random life', () => {
      const seed = process.hrtime()[1]
      const held = randomLife(create(), seed)
      assert.deepEqual(victims(held.policy, held.slots.length), held.slots, `seed ${seed}`)
    })
  })
}

/** A policy that holds the slots below `slots`, inserted in their order. */
function holding(create: EvictionPolicyFactory, slots: number): EvictionPolicy {
  const policy = create()
  policy.grow(slots)
  for (const slot of all(slots)) policy.insert(slot, `key ${slot}`)
  return policy
}

function all(slots: number): number[] {
  return Array.from({ length: slots }, (_, slot) => slot)
}

/** As many victims as asked for, sorted. */
function victims(policy: EvictionPolicy, count: number): number[] {
  return Array.from({ length: count }, () => policy.victim()).sort((a, b) => a - b)
}

/** Lets a policy live as in a tier of `SLOTS` entries, with ten times as many keys; checks each victim, and gives what is held in the end. */
function randomLife(policy: EvictionPolicy, seed: number): { policy: EvictionPolicy; slots: number[] } {
  const random = lcg(seed)
  const free = all(SLOTS)
  const held: number[] = []
  const takeOut = (at: number) => free.push(...held.splice(at, 1))
  policy.grow(SLOTS)
  for (let step = 0; step < STEPS; step++) {
    const dice = random()
    const at = Math.floor(random() * held.length)
    if (dice < REMOVALS && held.length > 0) {
      policy.remove(held[at]!)
      takeOut(at)
    } else if (dice < REMOVALS + HITS && held.length > 0) policy.hit(held[at]!)
    else {
      if (free.length === 0) {
        const victim = policy.victim()
        assert.ok(held.includes(victim), `step ${step} of seed ${seed}: ${victim} is not held`)
        takeOut(held.indexOf(victim))
      }
      const slot = free.shift()!
      policy.insert(slot, `key ${Math.floor(random() * SLOTS * 10)}`)
      held.push(slot)
    }
  }
  return { policy, slots: held.sort((a, b) => a - b) }
}

/** Numbers from 0 up to 1, the same for the same seed. */
function lcg(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

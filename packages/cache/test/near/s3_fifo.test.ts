import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { EvictionPolicy } from '../../src/near/policy.ts'
import { type PolicyName, policyFactory } from '../../src/near/policy_choice.ts'
import { S3Fifo } from '../../src/near/s3_fifo.ts'

/** A policy that holds the slots below `slots`, oldest first, each read `reads` times. */
function filled(policy: EvictionPolicy, slots: number, reads: number): EvictionPolicy {
  policy.grow(slots)
  for (let slot = 0; slot < slots; slot++) policy.insert(slot, `key ${slot}`)
  read(policy, 0, slots, reads)
  return policy
}

function read(policy: EvictionPolicy, from: number, to: number, times: number): void {
  for (let slot = from; slot < to; slot++) for (let time = 0; time < times; time++) policy.hit(slot)
}

/** Evicts as often as `passes`, and puts an entry that nobody reads into the slot each time. Gives the slots. */
function passThrough(policy: EvictionPolicy, passes: number): number[] {
  return Array.from({ length: passes }, (_, pass) => {
    const slot = policy.victim()
    policy.insert(slot, `passing ${pass}`)
    return slot
  })
}

/** How many of the entries that were read stay while ten times as many as there is room for pass through. */
function survivors(name: PolicyName): number {
  const policy = filled(policyFactory(name)(), 100, 0)
  read(policy, 0, 50, 3)
  const gone = new Set(passThrough(policy, 1_000))
  return Array.from({ length: 50 }, (_, slot) => slot).filter((slot) => !gone.has(slot)).length
}

it('what was read outlasts a pass over many entries that nobody reads again, which empties LRU', () => {
  assert.equal(survivors('s3-fifo'), 50)
  assert.equal(survivors('lru'), 0)
})

it('a key that comes back soon after it went is kept for longer than a new one', () => {
  const policy = filled(new S3Fifo(), 100, 0)
  const slot = policy.victim()
  policy.insert(slot, `key ${slot}`)
  assert.ok(!passThrough(policy, 1_000).includes(slot))
})

it('a key that was removed does not count as one that went for want of room', () => {
  const policy = filled(new S3Fifo(), 100, 0)
  policy.remove(0)
  policy.insert(0, 'key 0')
  assert.ok(passThrough(policy, 1_000).includes(0))
})

it('takes the least read of a thousand where it meets no entry that was not read, the oldest of several', () => {
  const policy = filled(new S3Fifo(), 4_000, 1)
  // The first moves a thousand entries to the main queue and finds none that was not read; so do the next two. The fourth moves what is too many in the small queue.
  assert.deepEqual([policy.victim(), policy.victim(), policy.victim(), policy.victim()], [0, 1, 2, 3])
  read(policy, 4, 4_000, 1)
  for (const [from, to] of [
    [4, 500],
    [501, 600],
    [601, 2_000],
    [2_001, 4_000],
  ] as const)
    read(policy, from, to, 6)
  read(policy, 500, 501, 4)
  read(policy, 600, 601, 4)
  assert.equal(policy.victim(), 500)
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Ghost } from '../../src/near/ghost.ts'
import { keyHash } from '../../src/near/key_hash.ts'

const SLOTS = 10_000

const hashOf = (number: number) => keyHash(`product:${number}`)

/** A ghost that was told of the keys from `from` to `to`. */
function told(ghost: Ghost, from: number, to: number): Ghost {
  for (let number = from; number < to; number++) ghost.remember(hashOf(number))
  return ghost
}

/** Share of the keys from `from` to `to` that it knows. */
function known(ghost: Ghost, from: number, to: number, window = SLOTS): number {
  let count = 0
  for (let number = from; number < to; number++) if (ghost.recall(hashOf(number), window)) count++
  return count / (to - from)
}

function ghostOf(slots: number): Ghost {
  const ghost = new Ghost()
  ghost.grow(slots)
  return ghost
}

it('knows nearly all keys of its window, and all of the newest', () => {
  assert.ok(known(told(ghostOf(SLOTS), 0, 100_000), 90_000, 100_000) > 0.9)
  assert.equal(known(told(ghostOf(SLOTS), 0, 100_000), 99_000, 100_000), 1)
})

it('no longer knows what it recalled, until it is told again', () => {
  const ghost = told(ghostOf(SLOTS), 0, 1_000)
  assert.equal(known(ghost, 0, 1_000), 1)
  assert.equal(known(ghost, 0, 1_000), 0)
  assert.equal(known(told(ghost, 0, 1_000), 0, 1_000), 1)
})

it('does not know what is older than its window', () => {
  const ghost = told(ghostOf(SLOTS), 0, 100_000)
  assert.ok(known(ghost, 0, 89_000) < 0.001)
  assert.ok(known(ghost, 90_000, 98_500, 1_000) < 0.001)
})

it('takes hardly any new key for one that it knows', () => {
  const ghost = told(ghostOf(SLOTS), 0, 100_000)
  assert.ok(known(ghost, 1_000_000, 2_000_000) < 1 / 10_000)
})

it('knows nothing before it is told, also of a hash of 0', () => {
  for (const slots of [1, 3, 100, SLOTS]) {
    const ghost = ghostOf(slots)
    assert.equal(ghost.recall(0, slots), false)
    assert.equal(known(ghost, 0, 1_000, slots), 0)
  }
})

it('is right when its time has gone round', () => {
  const ghost = ghostOf(64)
  for (let number = 0; number < 200_000; number += 997) {
    told(ghost, number, number + 997)
    assert.ok(known(ghost, number + 997 - 16, number + 997, 64) > 0.9)
    assert.equal(known(ghost, number, number + 800, 64) < 0.01, true)
  }
})

it('forgets when it grows', () => {
  const ghost = told(ghostOf(SLOTS), 0, SLOTS)
  ghost.grow(2 * SLOTS)
  assert.equal(known(ghost, 0, SLOTS), 0)
})

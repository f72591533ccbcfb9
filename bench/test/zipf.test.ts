import assert from 'node:assert/strict'
import { it } from 'node:test'
import { zipfSequence } from '../cache/zipf.ts'

const IDS = 1_000
const sequence = (skew: number, seed = 1) => zipfSequence({ ids: IDS, skew, count: 200_000, seed })

/** How often each id comes, the most popular first. */
function counts(ids: Uint32Array): number[] {
  const all = new Array<number>(IDS).fill(0)
  for (const id of ids) all[id]!++
  return all.sort((a, b) => b - a)
}

it('the tenth most popular id comes a tenth as often as the first where the exponent is 1', () => {
  const [first, , , , , , , , , tenth] = counts(sequence(1))
  assert.ok(first! / tenth! > 9 && first! / tenth! < 11)
})

it('all ids come alike where it is 0', () => {
  const all = counts(sequence(0))
  assert.ok(all[0]! < 2 * all.at(-1)!)
})

it('is the same for the same seed, and another for another', () => {
  assert.deepEqual(sequence(0.9), sequence(0.9))
  assert.notDeepEqual(sequence(0.9), sequence(0.9, 2))
})

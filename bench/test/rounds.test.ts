import assert from 'node:assert/strict'
import { it } from 'node:test'
import { runPairs } from '../harness/rounds.ts'

it('alternates the sides, and which of them begins a pair', async () => {
  const order: string[] = []
  const side = (name: string) => async () => {
    order.push(name)
    return order.length
  }
  const { ours, theirs } = await runPairs(3, { ours: side('o'), theirs: side('t') })
  assert.equal(order.join(''), 'ottoot')
  assert.deepEqual(
    [ours, theirs],
    [
      [1, 4, 5],
      [2, 3, 6],
    ],
  )
})

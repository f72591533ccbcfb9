import assert from 'node:assert/strict'
import { it } from 'node:test'
import { closedLoop } from '../cache/engine/closed_loop.ts'

it('counts the calls of all callers, each of which waits for its answer', async () => {
  let asked = 0
  let atOnce = 0
  let most = 0
  const calls = await closedLoop(4, 20, async (some) => {
    most = Math.max(most, ++atOnce)
    await new Promise(setImmediate)
    asked += some
    atOnce--
  })
  assert.equal(calls, asked)
  assert.equal(most, 4)
})

it('gives up with the first call that fails', async () => {
  await assert.rejects(
    closedLoop(2, 20, async () => {
      throw new Error('refused')
    }),
    /refused/,
  )
})

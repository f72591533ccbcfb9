import assert from 'node:assert/strict'
import { it } from 'node:test'
import { currentContext, runInContext, runOutsideContext } from '@tailwater/core'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

it('a context follows everything that its body awaits, and ends with it', async () => {
  const seen = await runInContext({ requestId: 'a' }, async () => {
    await turn()
    return currentContext()?.requestId
  })
  assert.deepEqual([seen, currentContext()], ['a', undefined])
})

it('a loop that a request sets going outside of its context does not carry its id', async () => {
  await runInContext({ requestId: 'a' }, async () => {
    const loop = runOutsideContext(async () => {
      await turn()
      return currentContext()
    })
    assert.equal(await loop, undefined)
    assert.equal(currentContext()?.requestId, 'a')
  })
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { currentContext, eventChannel, listen, runInContext } from '@tailwater/core'

it('a subscriber that throws neither reaches the publisher nor the other subscribers', () => {
  const events = eventChannel<{ id: number }>('tailwater:test:throwing')
  const seen: number[] = []
  const errors: string[] = []
  const ends = [
    listen(
      events,
      () => {
        throw new Error('broken')
      },
      (error) => errors.push(error.message),
    ),
    listen(events, ({ id }) => void seen.push(id)),
  ]
  events.publish({ id: 1 })
  for (const end of ends) end()
  assert.deepEqual([seen, errors], [[1], ['broken']])
})

it('an ended subscription leaves the channel without subscribers', () => {
  const events = eventChannel<{ id: number }>('tailwater:test:ended')
  const end = listen(events, () => {})
  assert.equal(events.hasSubscribers, true)
  end()
  assert.equal(events.hasSubscribers, false)
})

it('the request context follows what it awaits, and ends with it', async () => {
  const inside = runInContext({ requestId: 'r1' }, async () => {
    await Promise.resolve()
    return currentContext()?.requestId
  })
  assert.equal(currentContext(), undefined)
  assert.equal(await inside, 'r1')
})

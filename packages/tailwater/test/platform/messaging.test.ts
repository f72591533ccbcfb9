import assert from 'node:assert/strict'
import { it } from 'node:test'
import { openPlatform } from './open_platform.ts'

const tw = await openPlatform()
const seen: unknown[] = []
let tell = () => {}
tw.messaging.exchange('orders').subscribe('billing', '#', async (message) => {
  await message.once(() => void seen.push(message.body))
  tell()
})
await tw.start()

it('a message of the platform goes out with the commit of its transaction', async () => {
  const orders = tw.messaging.exchange('orders')
  await assert.rejects(
    tw.database.transaction(async (tx) => {
      await orders.publish('order.placed', 'never', { tx })
      throw new Error('rolled back')
    }),
    /rolled back/,
  )
  await tw.database.transaction((tx) => orders.publish('order.placed', 'kept', { tx }))
  while (seen.length === 0)
    await new Promise<void>((resolve) => {
      tell = resolve
    })
  assert.deepEqual(seen, ['kept'])
})

it('requests are answered in the same process', async () => {
  tw.messaging.respond('sum', ({ body }) => (body as number[]).reduce((sum, one) => sum + one, 0))
  assert.equal(await tw.messaging.request('sum', [1, 2, 3]), 6)
})

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { createRedis, type Redis } from '@tailwater/redis'
import { startRedis, type TestRedis } from '@tailwater/redis/testing'
import { createRedisInbox, createRedisMessaging } from '../src/backends/redis/index.ts'
import { createMessaging } from '../src/index.ts'
import { Collected } from './ground.ts'

let server: TestRedis
let redis: Redis
before(async () => {
  server = await startRedis()
  redis = createRedis({ url: server.url, prefix: 'app' })
  await redis.start()
})
after(async () => {
  await redis.stop()
  await server.stop()
})

it('messages, requests and broadcasts go over Redis alone', async () => {
  const make = () => createMessaging({ backend: createRedisMessaging({ redis }), inbox: createRedisInbox({ redis }) })
  const [one, two] = [make(), make()]
  const done = new Collected<boolean>()
  two.exchange('orders').subscribe('billing', '#', async (message) => done.put(await message.once(() => {})))
  two.respond('quote', ({ body }) => (body as number) + 1)
  const heard = new Collected<unknown>()
  await two.exchange('orders').listen('#', ({ body }) => heard.put(body))
  await two.start()
  await one.start()
  const orders = one.exchange('orders')
  await orders.publish('order.placed', 1, { id: 'same' })
  await done.until(1)
  await orders.publish('order.placed', 2, { id: 'same' })
  assert.deepEqual(await done.until(2), [true, false])
  assert.deepEqual(await heard.until(2), [1, 2])
  assert.equal(await one.request('quote', 41), 42)
  await one.stop()
  await two.stop()
})

it('an inbox in Redis keeps others out while one runs, and forgets what failed', async () => {
  const inbox = createRedisInbox({ redis })
  await assert.rejects(
    inbox.once('s', 'm', () => {
      throw new Error('no')
    }),
    /no/,
  )
  let release = () => {}
  const running = inbox.once(
    's',
    'm',
    () =>
      new Promise<void>((resolve) => {
        release = resolve
      }),
  )
  const refused = async () => {
    for (;;) await inbox.once('s', 'm', () => Promise.reject(new Error('mine')))
  }
  await assert.rejects(refused(), { code: 'E_MESSAGE_BLOCKED' })
  release()
  assert.equal(await running, true)
  assert.equal(await inbox.once('s', 'm', () => {}), false)
  await assert.rejects(
    inbox.once('s', 'other', (tx) => tx.query('SELECT 1')),
    { code: 'E_MESSAGE_TRANSACTION' },
  )
})

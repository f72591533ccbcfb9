import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { createTestVhost } from '@tailwater/messaging/testing/rabbitmq'
import type { TailwaterConfig } from 'tailwater'
import { openPlatform } from './open_platform.ts'

const vhost = await createTestVhost()
after(() => vhost.close())

/** A platform that has started, with a subscription. All of them are opened before the first test is defined. */
async function open(config: TailwaterConfig) {
  const tw = await openPlatform(config)
  const seen: unknown[] = []
  const heard = new Set<() => void>()
  tw.messaging.exchange('orders').subscribe('billing', '#', async (message) => {
    await message.once(() => void seen.push(message.body))
    for (const tell of heard) tell()
  })
  await tw.start()
  const next = () =>
    new Promise<void>((resolve) => {
      heard.add(resolve)
    })
  return { tw, seen, next }
}

const platforms = { jobs: await open({}), rabbitmq: await open({ amqpUrl: vhost.url }) }

for (const [carrier, { tw, seen, next }] of Object.entries(platforms)) {
  it(`${carrier}: AMQP_URL alone decides what carries messages`, () => {
    assert.equal(tw.messaging.backend.name, carrier)
  })

  it(`${carrier}: a message of the platform goes out with the commit of its transaction`, async () => {
    const orders = tw.messaging.exchange('orders')
    await assert.rejects(
      tw.database.transaction(async (tx) => {
        await orders.publish('order.placed', 'never', { tx })
        throw new Error('rolled back')
      }),
      /rolled back/,
    )
    await tw.database.transaction((tx) => orders.publish('order.placed', 'kept', { tx }))
    while (seen.length === 0) await next()
    assert.deepEqual(seen, ['kept'])
  })

  it(`${carrier}: requests are answered in the same process, streams and errors too`, async () => {
    tw.messaging.respond('sum', ({ body }) => (body as number[]).reduce((sum, one) => sum + one, 0))
    tw.messaging.respond('count', async function* () {
      yield 1
      yield 2
      throw Object.assign(new Error('no more'), { code: 'E_NO_MORE' })
    })
    assert.equal(await tw.messaging.request('sum', [1, 2, 3]), 6)
    const parts: unknown[] = []
    await assert.rejects(
      async () => {
        for await (const part of tw.messaging.requestStream('count', null)) parts.push(part)
      },
      { code: 'E_NO_MORE' },
    )
    assert.deepEqual(parts, [1, 2])
    await assert.rejects(tw.messaging.request('nobody', 1), { code: 'E_MESSAGE_NO_RESPONDER' })
  })
}

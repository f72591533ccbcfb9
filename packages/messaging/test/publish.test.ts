import assert from 'node:assert/strict'
import { afterEach, beforeEach, it } from 'node:test'
import { messagePublished, runInContext } from '@tailwater/core'
import type { FakeClock } from '@tailwater/core/testing'
import { z } from 'zod'
import { createMessaging, type Messaging, type ReceivedMessage } from '../src/index.ts'
import { Collected, doubling, inMemory, nextEvent } from './ground.ts'

let messaging: Messaging
let clock: FakeClock
beforeEach(async () => {
  ;({ messaging, clock } = inMemory())
  await messaging.start()
})
afterEach(() => messaging.stop())

function collect(exchange: ReturnType<Messaging['exchange']>, patterns: string[] = ['#']) {
  const collected = new Collected<ReceivedMessage>()
  exchange.subscribe('reader', patterns, (message) => collected.put(message))
  return collected
}

it('what is published is handled, with all that was said of it', async () => {
  const orders = messaging.exchange('orders')
  const read = collect(orders, ['order.*'])
  const id = await orders.publish('order.placed', { orderId: 7 }, { headers: { tenant: 'x' }, level: 'high' })
  const [message] = await read.until(1)
  assert.deepEqual([message!.id, message!.topic, message!.exchange], [id, 'order.placed', 'orders'])
  assert.deepEqual(message!.body, { orderId: 7 })
  assert.deepEqual([message!.headers, message!.level, message!.attempt], [{ tenant: 'x' }, 'high', 1])
})

it('a message that nobody is bound to is an error, unless that is allowed', async () => {
  const orders = messaging.exchange('orders')
  await assert.rejects(orders.publish('order.placed', {}), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'E_MESSAGE_UNROUTABLE')
    assert.match(error.message, /order\.placed.*orders.*mandatory/)
    return true
  })
  await orders.publish('order.placed', {}, { mandatory: false })
})

it('of several messages the unroutable are named, and the others arrive', async () => {
  const orders = messaging.exchange('orders')
  const read = collect(orders, ['a'])
  const failed = orders.publishMany([
    { topic: 'a', body: 1 },
    { topic: 'x', body: 2, options: { id: 'lost-one' } },
    { topic: 'a', body: 3 },
  ])
  await assert.rejects(failed, (error: { details?: { ids?: string[] } }) => {
    assert.deepEqual(error.details?.ids, ['lost-one'])
    return true
  })
  assert.deepEqual(
    (await read.until(2)).map(({ body }) => body),
    [1, 3],
  )
})

it('bodies that cannot be written are refused, and say why', async () => {
  const orders = messaging.exchange('orders')
  collect(orders)
  const loop: Record<string, unknown> = {}
  loop['self'] = loop
  for (const body of [loop, 1n, () => 1, undefined, Symbol('x')])
    await assert.rejects(orders.publish('a', body), { code: 'E_MESSAGE_BODY' })
  await assert.rejects(orders.publish('a', 'x'.repeat(300_000)), { code: 'E_MESSAGE_BODY_SIZE' })
  await assert.rejects(orders.publish('a', new Uint8Array(300_000)), { code: 'E_MESSAGE_BODY_SIZE' })
  await orders.publish('a', 'x'.repeat(200_000))
})

it('bytes and null are bodies, too', async () => {
  const orders = messaging.exchange('orders')
  const read = collect(orders)
  await orders.publish('a', Uint8Array.of(1, 2, 255))
  await orders.publish('a', null)
  const [bytes, nothing] = await read.until(2)
  assert.deepEqual([...(bytes!.body as Uint8Array)], [1, 2, 255])
  assert.equal(nothing!.body, null)
})

it('wrong topics, names and patterns are refused with what is meant', async () => {
  const orders = messaging.exchange('orders')
  for (const topic of ['', 'a..b', 'order.*', '#', 'a b', `a.${'b'.repeat(260)}`])
    await assert.rejects(orders.publish(topic, 1), { code: 'E_MESSAGE_TOPIC' }, topic)
  for (const pattern of ['', 'a..b', 'order*', 'or#', 'a b'])
    assert.throws(() => orders.subscribe('s', pattern, () => {}), { code: 'E_MESSAGE_PATTERN' }, pattern)
  for (const name of ['', 'Orders', 'a.b', 'a--b', 'x'.repeat(101)])
    assert.throws(() => messaging.exchange(name), { code: 'E_MESSAGE_NAME' }, name)
  assert.throws(() => orders.subscribe('Billing', '#', () => {}), { code: 'E_MESSAGE_NAME' })
  assert.throws(() => orders.subscribe('s', [], () => {}), { code: 'E_MESSAGE_PATTERN' })
  assert.throws(() => orders.subscribe('s', undefined as never, () => {}), { code: 'E_MESSAGE_PATTERN' })
  assert.throws(() => orders.subscribe('s', '#', undefined as never), { code: 'E_OPTIONS' })
  const direct = messaging.exchange('commands', { type: 'direct' })
  assert.throws(() => direct.subscribe('s', 'a.*', () => {}), { code: 'E_MESSAGE_PATTERN' })
})

it('headers and ids that a carrier has no room for are refused by all', async () => {
  const orders = messaging.exchange('orders')
  const wrong = [
    { headers: { h: 'x'.repeat(32_000) } },
    { headers: { ['h'.repeat(256)]: '' } },
    { id: '\u00fc'.repeat(128) },
  ]
  for (const options of wrong) await assert.rejects(orders.publish('a', 1, options), { code: 'E_OPTIONS' })
  await assert.rejects(orders.publishMany(undefined as never), { code: 'E_OPTIONS' })
})

it('a misspelt option is refused with a hint', async () => {
  const orders = messaging.exchange('orders')
  await assert.rejects(orders.publish('a', 1, { dealy: '5s' } as object), /did you mean 'delay'/)
  assert.throws(() => orders.subscribe('s', '#', () => {}, { prefech: 3 } as object), /did you mean 'prefetch'/)
  assert.throws(() => createMessaging({ datbase: {} } as object), /did you mean 'database'/)
  await assert.rejects(orders.publish('a', 1, { delay: '1s', deliverAt: 5 }), { code: 'E_OPTIONS' })
  assert.throws(() => orders.subscribe('s', '#', () => {}, { concurrency: 20, prefetch: 5 }), /no less than/)
})

it('a schema is checked when a message is published, and other topics are unknown', async () => {
  const orders = messaging.exchange('orders', { topics: { 'order.placed': doubling } })
  const read = collect(orders as never)
  await assert.rejects(orders.publish('order.placed', { n: 'x' } as never), (error: Error & { code?: string }) => {
    assert.equal(error.code, 'E_MESSAGE_BODY')
    assert.match(error.message, /n: n must be a number/)
    return true
  })
  await assert.rejects(orders.publish('order.place' as never, { n: 1 } as never), /did you mean 'order.placed'/)
  await orders.publish('order.placed', { n: 1 })
  // What arrives is what the schema makes of it, once.
  assert.deepEqual((await read.until(1))[0]!.body, { n: 2 })
})

it('a delayed message waits, and one that nobody took in time is dropped', async () => {
  const orders = messaging.exchange('orders')
  const read = collect(orders)
  await orders.publish('late', 1, { delay: '1m' })
  await orders.publish('now', 2)
  await read.until(1)
  await clock.advance(59_000)
  assert.deepEqual(
    read.all.map(({ topic }) => topic),
    ['now'],
  )
  await clock.advance(2_000)
  assert.equal((await read.until(2))[1]!.topic, 'late')
})

it('the context of the publisher is that of the handler, and events carry it', async () => {
  const orders = messaging.exchange('orders')
  const read = collect(orders)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const published = nextEvent(messagePublished)
  await runInContext({ requestId: 'r-1', traceparent }, () => orders.publish('a', 1))
  assert.equal((await read.until(1))[0]!.requestId, 'r-1')
  const event = await published
  assert.deepEqual(
    [event.requestId, event.traceparent, event.outcome, event.topic],
    ['r-1', traceparent, 'confirmed', 'a'],
  )
})

it('who stops waiting for a confirmation is told so', async () => {
  const orders = messaging.exchange('orders')
  collect(orders)
  const reason = new Error('enough')
  await assert.rejects(orders.publish('a', 1, { signal: AbortSignal.abort(reason) }), reason)
})

it('publishing before the start, and after the stop, is refused', async () => {
  const { messaging: other } = inMemory()
  await assert.rejects(other.exchange('orders').publish('a', 1), { code: 'E_MESSAGE_NOT_STARTED' })
  const orders = messaging.exchange('orders')
  collect(orders)
  await orders.publish('a', 1)
  await messaging.stop()
  await assert.rejects(orders.publish('a', 1), { code: 'E_MESSAGE_NOT_STARTED' })
  await messaging.start()
  await orders.publish('a', 1)
})

it('a transaction needs an outbox', async () => {
  const orders = messaging.exchange('orders')
  const tx = { query: async () => ({ rows: [] }) }
  await assert.rejects(orders.publish('a', 1, { tx }), { code: 'E_MESSAGE_TRANSACTION' })
})

it('an exchange is one, whoever asks for it, and of one type', () => {
  const orders = messaging.exchange('orders')
  assert.equal(messaging.exchange('orders'), orders)
  assert.throws(() => messaging.exchange('orders', { type: 'direct' }), { code: 'E_MESSAGE_NAME' })
})

it('listeners hear what matches, and a listener that fails harms nobody', async () => {
  const orders = messaging.exchange('orders')
  const heard = new Collected<unknown>()
  await orders.listen('order.*', () => {
    throw new Error('no')
  })
  const stop = await orders.listen(['order.*'], ({ body }) => heard.put(body))
  await orders.publish('order.placed', 1)
  await orders.publish('other', 2, { mandatory: false })
  await orders.publish('order.paid', 3)
  assert.deepEqual(await heard.until(2), [1, 3])
  await stop()
})

it('bodies have the types of their schemas', async () => {
  const orders = messaging.exchange('typed', {
    topics: { 'order.placed': doubling, 'order.paid': z.object({ amount: z.string().transform(Number) }) },
  })
  const amounts = new Collected<number>()
  orders.subscribe('typed', 'order.*', ({ body }) => {
    const both: { n: number } | { amount: number } = body
    amounts.put('n' in both ? both.n : both.amount)
  })
  await orders.publish('order.placed', { n: 1 })
  await orders.publish('order.paid', { amount: '7' })
  await assert.rejects(
    // @ts-expect-error the amount is a text
    orders.publish('order.paid', { amount: 1 }),
    { code: 'E_MESSAGE_BODY' },
  )
  assert.deepEqual(await amounts.until(2), [2, 7])
})

import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, it } from 'node:test'
import { messageHandled, messagePublished } from '@tailwater/core'
import { jobsMigrations } from '@tailwater/jobs'
import { tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { createPostgresInbox, messagingMigrations } from '../src/backends/postgres/index.ts'
import { createMessaging, type Messaging } from '../src/index.ts'
import { Collected, nextEvent } from './ground.ts'

let ground: TestSchema
let messaging: Messaging
let other: Messaging
before(async () => {
  ground = await createTestSchema({
    modules: [tailwaterMigrations, jobsMigrations, messagingMigrations],
    pool: { max: 20 },
  })
  await ground.database.query(
    `CREATE TABLE ${ground.schema}.bills (order_id integer PRIMARY KEY, times integer NOT NULL DEFAULT 1)`,
  )
})
after(() => ground.close())
beforeEach(async () => {
  const { database, schema } = ground
  await database.query(`TRUNCATE ${schema}.message_exchanges, ${schema}.message_subscriptions, ${schema}.bills`)
  messaging = createMessaging({ database, schema })
  other = createMessaging({ database, schema })
  await messaging.start()
  await other.start()
})
afterEach(async () => {
  await messaging.stop()
  await other.stop()
})

const bill = (tx: { query: (text: string) => Promise<unknown> }, orderId: number) =>
  tx.query(`INSERT INTO ${ground.schema}.bills (order_id) VALUES (${orderId})
    ON CONFLICT (order_id) DO UPDATE SET times = ${ground.schema}.bills.times + 1`)

async function bills(): Promise<Record<number, number>> {
  const { rows } = await ground.database.query<{ order_id: number; times: number }>(
    `SELECT * FROM ${ground.schema}.bills`,
  )
  return Object.fromEntries(rows.map(({ order_id, times }) => [order_id, times]))
}

it('what one process publishes another handles', async () => {
  const done = new Collected<unknown>()
  other.exchange('orders').subscribe('billing', 'order.*', ({ body }) => done.put(body))
  await untilDeclared('billing')
  await messaging.exchange('orders').publish('order.placed', { n: 1 })
  assert.deepEqual(await done.until(1), [{ n: 1 }])
})

it('a message of a transaction goes out when that commits, under its id, and not when it is rolled back', async () => {
  const done = new Collected<string>()
  const orders = messaging.exchange('orders')
  orders.subscribe('billing', '#', ({ id }) => done.put(id))
  await untilDeclared('billing')
  const failed = ground.database.transaction(async (tx) => {
    await orders.publish('order.placed', { n: 1 }, { tx, id: 'never' })
    throw new Error('rolled back')
  })
  await assert.rejects(failed, /rolled back/)
  const ids = await ground.database.transaction(async (tx) => {
    const many = [1, 2, 3].map((n) => ({ topic: 'order.placed', body: { n } }))
    return orders.publishMany(many, { tx })
  })
  assert.deepEqual(await done.until(3), ids)
})

it('an unroutable message of a transaction is told of, and holds nothing up', async () => {
  const done = new Collected<string>()
  const orders = messaging.exchange('orders')
  orders.subscribe('billing', 'a', ({ topic }) => done.put(topic))
  await untilDeclared('billing')
  const lost = nextEvent(messagePublished, ({ outcome }) => outcome === 'unroutable')
  await ground.database.transaction(async (tx) => {
    await orders.publish('x', 1, { tx })
    await orders.publish('a', 2, { tx })
  })
  assert.equal((await lost).topic, 'x')
  assert.deepEqual(await done.until(1), ['a'])
})

it('what is done once is done once, however often the message comes', async () => {
  const orders = messaging.exchange('orders')
  const ran = new Collected<boolean>()
  orders.subscribe('billing', '#', async (message) => {
    ran.put(await message.once((tx) => bill(tx, (message.body as { orderId: number }).orderId)))
  })
  await untilDeclared('billing')
  for (let time = 0; time < 3; time++) {
    await orders.publish('order.placed', { orderId: 7 }, { id: 'order-7' })
    await ran.until(time + 1)
  }
  assert.deepEqual(ran.all, [true, false, false])
  assert.deepEqual(await bills(), { 7: 1 })
})

it('what fails within it was not done, and is done when the message comes again', async () => {
  const orders = messaging.exchange('orders')
  let fails = 1
  const backoff = { type: 'fixed', delay: 1 } as const
  const done = nextEvent(messageHandled, ({ outcome }) => outcome === 'done')
  orders.subscribe(
    'billing',
    '#',
    (message) =>
      message.once(async (tx) => {
        await bill(tx, 8)
        if (fails-- > 0) throw new Error('after the write')
      }),
    { backoff },
  )
  await untilDeclared('billing')
  await orders.publish('order.placed', {})
  assert.equal((await done).attempt, 2)
  assert.deepEqual(await bills(), { 8: 1 })
})

it('two that handle a message at once do it once', async () => {
  const { database, schema } = ground
  const inbox = createPostgresInbox({ database, schema })
  const outcomes = await Promise.all(
    Array.from({ length: 5 }, () => inbox.once('billing', 'both', (tx) => bill(tx, 9))),
  )
  assert.deepEqual(outcomes.sort(), [false, false, false, false, true])
  assert.deepEqual(await bills(), { 9: 1 })
})

it('each subscription has an inbox of its own, and what is old is forgotten', async () => {
  const { database, schema } = ground
  const inbox = createPostgresInbox({ database, schema, keep: 0 })
  assert.equal(await inbox.once('one', 'same', () => {}), true)
  assert.equal(await inbox.once('two', 'same', () => {}), true)
  assert.equal(await inbox.once('one', 'same', () => {}), false)
  await inbox.trim()
  assert.equal(await inbox.once('one', 'same', () => {}), true)
})

it('requests are answered by another process, errors and streams too', async () => {
  other.respond('pricing.quote', ({ body }) => ({ double: (body as number) * 2 }))
  other.respond('pricing.all', async function* () {
    yield 1
    yield 2
    throw Object.assign(new Error('no more'), { code: 'E_NO_MORE' })
  })
  await untilDeclared('respond.pricing.quote')
  await untilDeclared('respond.pricing.all')
  assert.deepEqual(await messaging.request('pricing.quote', 21), { double: 42 })
  const parts: unknown[] = []
  await assert.rejects(
    async () => {
      for await (const part of messaging.requestStream('pricing.all', null)) parts.push(part)
    },
    { code: 'E_NO_MORE' },
  )
  assert.deepEqual(parts, [1, 2])
})

it('requests are shared among those who respond', async () => {
  const answered = new Set<string>()
  for (const [name, one] of [
    ['first', messaging],
    ['second', other],
  ] as const)
    one.respond(
      'who',
      () => {
        answered.add(name)
        // Both must have one before either is done.
        return new Promise((resolve) => {
          const look = () => (answered.size === 2 ? resolve(name) : setImmediate(look))
          look()
        })
      },
      { concurrency: 1 },
    )
  await untilDeclared('respond.who')
  const names = await Promise.all([messaging.request('who', 1), messaging.request('who', 2)])
  assert.deepEqual([...names].sort(), ['first', 'second'])
})

it('listeners of every process hear', async () => {
  const heard = new Collected<string>()
  await messaging.exchange('news').listen('#', () => heard.put('one'))
  await other.exchange('news').listen('#', () => heard.put('two'))
  await messaging.exchange('news').publish('flash', 1)
  assert.deepEqual([...(await heard.until(2))].sort(), ['one', 'two'])
})

async function untilDeclared(subscription: string): Promise<void> {
  while (!(await messaging.inspect.subscription(subscription))) await Promise.resolve()
}

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, describe, it } from 'node:test'
import { backgroundError, hasCode, newId, systemClock } from '@tailwater/core'
import { type ChannelModel, connect } from 'amqplib'
import type { Delivery } from '../../src/backend/consume_port.ts'
import type { SubscriptionSpec } from '../../src/backend/topology_port.ts'
import type { MessagingBackend } from '../../src/backend.ts'
import { createRabbitMqBackend, type RabbitMqOptions } from '../../src/backends/rabbitmq/index.ts'
import { levels, type Message } from '../../src/message.ts'
import { Inbox } from '../../src/testing/contract/inbox.ts'
import { createTestVhost, startTcpProxy } from '../../src/testing/rabbitmq/index.ts'
import { nextEvent } from '../ground.ts'

const ground = await createTestVhost()
after(() => ground.close())
const proxy = await startTcpProxy(Number(new URL(ground.url).port))
after(() => proxy.close())
const proxied = new URL(ground.url)
proxied.port = String(proxy.port)

async function open(options: RabbitMqOptions = {}) {
  const backend = createRabbitMqBackend({ url: proxied.href, delayStep: 50, ...options })
  await backend.start()
  after(() => backend.stop(systemClock.elapsed()))
  return backend
}

/** A channel of somebody else's program. */
async function foreignChannel() {
  const connection: ChannelModel = await connect(ground.url)
  after(() => connection.close())
  const channel = await connection.createConfirmChannel()
  channel.on('error', () => {})
  return channel
}

let names = 0
const name = (stem: string) => `${stem}-${++names}`

const spec = (own: string, exchange: string, said: Partial<SubscriptionSpec> = {}): SubscriptionSpec => ({
  name: own,
  bindings: [{ exchange, pattern: '#' }],
  levels: ['normal'],
  ttl: undefined,
  maxLength: undefined,
  maxCrashes: 3,
  ...said,
})

const message = (exchange: string, topic: string, said: Partial<Message> = {}): Message => ({
  ...{ id: newId(), exchange, topic, body: JSON.stringify(topic), contentType: 'application/json', headers: {} },
  ...{ level: 'normal', publishedAt: systemClock.now(), ...said },
})

async function line(options: RabbitMqOptions = {}, said: Partial<SubscriptionSpec> = {}) {
  const backend = await open(options)
  const [exchange, subscription] = [name('exchange'), name('subscription')]
  await backend.topology.declareExchange({ name: exchange, type: 'topic' })
  await backend.topology.declareSubscription(spec(subscription, exchange, said))
  return { backend, exchange, subscription }
}

async function consume(backend: Awaited<ReturnType<typeof open>>, subscription: string, prefetch = 10) {
  const inbox = new Inbox()
  inbox.consumer = await backend.consume.consume(subscription, { prefetch }, (delivery: Delivery) =>
    inbox.put(delivery),
  )
  return inbox
}

describe('a mismatch is explained', () => {
  it('a queue of another kind is named with what it is', async () => {
    const channel = await foreignChannel()
    const [exchange, own] = [name('exchange'), name('subscription')]
    await channel.assertQueue(own, { durable: true })
    const backend = await open()
    await backend.topology.declareExchange({ name: exchange, type: 'topic' })
    await assert.rejects(
      backend.topology.declareSubscription(spec(own, exchange)),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'E_MESSAGE_TOPOLOGY')
        assert.match(error.message, new RegExp(`queue '${own}' exists as classic; it is declared as quorum: `))
        return true
      },
    )
  })

  it('a setting that the broker cannot change is named with both values', async () => {
    const { backend, exchange, subscription } = await line({}, { ttl: 1_000 })
    await assert.rejects(backend.topology.declareSubscription(spec(subscription, exchange, { ttl: 2_000 })), {
      code: 'E_MESSAGE_TOPOLOGY',
      message: new RegExp(`'${subscription}' exists with x-message-ttl 1000; it is declared with 2000`),
    })
  })

  it('a user who may not enter is told so when it starts', async () => {
    const wrong = { username: 'nobody', password: 'x' }
    const backend = createRabbitMqBackend({ url: ground.url, credentials: wrong })
    await assert.rejects(backend.start(), { code: 'E_MESSAGE_UNAVAILABLE', message: /refuses this user/ })
    const elsewhere = createRabbitMqBackend({ url: ground.url, vhost: 'nowhere' })
    await assert.rejects(elsewhere.start(), { code: 'E_MESSAGE_UNAVAILABLE', message: /no virtual host 'nowhere'/ })
  })
})

describe('names', () => {
  it('a name that AMQP has no room for is explained, and nobody after it waits', async () => {
    const { backend, exchange, subscription } = await line()
    const long = `respond.${'r'.repeat(245)}`
    await assert.rejects(backend.topology.declareSubscription(spec(long, exchange)), { code: 'E_MESSAGE_NAME' })
    await assert.rejects(backend.deadLetters.count('x'.repeat(255)))
    assert.equal(await backend.deadLetters.count(subscription), 0)
    await backend.topology.declareExchange({ name: name('exchange'), type: 'topic' })
  })
})

describe('a settlement that the broker will not have', () => {
  it('is said again until it does, and the consumer keeps its place', async () => {
    const { backend, exchange, subscription } = await line()
    const channel = await foreignChannel()
    await channel.deleteQueue(`${subscription}.dead`)
    const inbox = await consume(backend, subscription, 1)
    await backend.publish.send(['a', 'b'].map((topic) => ({ message: message(exchange, topic) })))
    const told = nextEvent(backgroundError, ({ source }) => source === `rabbitmq ${subscription}`)
    const settled = (await inbox.next()).settle({ type: 'dead', reason: 'permanent', note: undefined })
    await told
    await backend.topology.declareSubscription(spec(subscription, exchange))
    await settled
    assert.equal((await backend.deadLetters.list(subscription, { limit: 10 })).letters.length, 1)
    assert.deepEqual(await inbox.finish(1), ['b'])
  })

  it('ends with the message being taken back when its consumer stops', async () => {
    const { backend, exchange, subscription } = await line()
    await (await foreignChannel()).deleteQueue(`${subscription}.dead`)
    const inbox = await consume(backend, subscription)
    await backend.publish.send([{ message: message(exchange, 'a') }])
    const told = nextEvent(backgroundError, ({ source }) => source === `rabbitmq ${subscription}`)
    const delivery = await inbox.next()
    const settled = delivery.settle({ type: 'dead', reason: 'permanent', note: undefined })
    const lost = assert.rejects(settled, { code: 'E_MESSAGE_LOST' })
    await told
    await inbox.consumer!.stop(systemClock.elapsed())
    await lost
    const again = await consume(backend, subscription)
    assert.deepEqual(await again.finish(1), ['a'])
  })
})

describe("other programs' messages", () => {
  it('a message that was put straight into the queue arrives with what it says', async () => {
    const { backend, subscription } = await line()
    const channel = await foreignChannel()
    channel.sendToQueue(subscription, Buffer.from('{"a":1}'), {
      contentType: 'application/json',
      timestamp: 1_700_000_000,
      headers: { tenant: 'x', count: 3 },
    })
    const inbox = await consume(backend, subscription)
    const { message: came } = await inbox.next()
    assert.equal(came.body, '{"a":1}')
    assert.equal(came.exchange, '')
    assert.equal(came.level, 'normal')
    assert.equal(came.publishedAt, 1_700_000_000_000)
    assert.deepEqual(came.headers, { tenant: 'x', count: '3' })
    assert.ok(came.id)
  })

  it('bytes of no kind stay bytes, and can be dead and be put back', async () => {
    const { backend, subscription } = await line()
    const channel = await foreignChannel()
    channel.sendToQueue(subscription, Buffer.from([0, 255, 1]))
    const inbox = await consume(backend, subscription)
    await (await inbox.next()).settle({ type: 'dead', reason: 'foreign', note: undefined })
    const [letter] = (await backend.deadLetters.list(subscription, { limit: 10 })).letters
    assert.equal(letter!.reason, 'foreign')
    assert.deepEqual([...(letter!.message.body as Uint8Array)], [0, 255, 1])
    assert.equal(await backend.deadLetters.redrive(subscription, [letter!.id]), 1)
    assert.deepEqual([...((await inbox.next()).message.body as Uint8Array)], [0, 255, 1])
  })

  it('a message without a level is normal to a subscription that parts them', async () => {
    const { backend, exchange, subscription } = await line({}, { levels })
    const channel = await foreignChannel()
    channel.publish(exchange, 'a', Buffer.from('1'), { contentType: 'application/json' })
    await channel.waitForConfirms()
    const inbox = await consume(backend, subscription)
    assert.equal((await inbox.next()).message.level, 'normal')
  })

  it('ours can be read by theirs', async () => {
    const { backend, exchange, subscription } = await line()
    const sent = message(exchange, 'order.placed', { headers: { tenant: 'x' } })
    await backend.publish.send([{ message: sent }])
    const channel = await foreignChannel()
    const got = await channel.get(subscription, { noAck: true })
    assert.ok(got)
    assert.equal(got.fields.routingKey, 'order.placed')
    assert.equal(got.properties.messageId, sent.id)
    assert.equal(got.properties.deliveryMode, 2)
    assert.equal(got.properties.headers?.['tenant'], 'x')
  })
})

/** Where replies go, once the way for them is there again: it is made after what was waiting has been published. */
async function addressOf({ replies }: MessagingBackend): Promise<string> {
  for (;;) {
    try {
      return replies.address
    } catch (error) {
      assert.ok(hasCode(error, 'E_MESSAGE_BLOCKED'))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

describe('a connection that is lost', () => {
  it('comes back with its consumers, listeners and replies, and publishes what was waiting', async () => {
    const { backend, exchange, subscription } = await line()
    const inbox = await consume(backend, subscription)
    const heard = new Inbox()
    await backend.consume.listen([{ exchange, pattern: '#' }], (one) => heard.put({ message: one } as Delivery))
    const { address } = backend.replies
    await backend.publish.send([{ message: message(exchange, 'held') }])
    const held = await inbox.next()
    await heard.next()
    proxy.cut()
    await new Promise((resolve) => {
      if (held.signal.aborted) resolve(undefined)
      held.signal.addEventListener('abort', resolve)
    })
    await assert.rejects(held.settle({ type: 'done' }), { code: 'E_MESSAGE_LOST' })
    const again = await inbox.next()
    assert.equal(again.isRedelivered, true)
    await again.settle({ type: 'done' })
    assert.deepEqual(await backend.publish.send([{ message: message(exchange, 'after') }]), ['confirmed'])
    assert.deepEqual(await inbox.finish(1), ['after'])
    assert.equal((await heard.next()).message.topic, 'after')
    assert.notEqual(await addressOf(backend), address)
    assert.equal((await backend.inspect.health()).isUp, true)
  })

  it('does not undo what another process has declared since', async () => {
    const { backend, exchange, subscription } = await line()
    const direct = createRabbitMqBackend({ url: ground.url })
    await direct.start()
    after(() => direct.stop(systemClock.elapsed()))
    await direct.topology.declareSubscription(spec(subscription, exchange, { bindings: [{ exchange, pattern: 'b' }] }))
    const inbox = await consume(backend, subscription)
    await backend.publish.send([{ message: message(exchange, 'b') }])
    const held = await inbox.next()
    proxy.cut()
    await assert.rejects(once(held.signal, 'never', { signal: held.signal }))
    while (!(await backend.inspect.health()).isUp) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(await inbox.finish(1), ['b'])
    assert.deepEqual(await direct.publish.send([{ message: message(exchange, 'a') }]), ['unroutable'])
    await direct.publish.send([{ message: message(exchange, 'b') }])
    assert.deepEqual(await inbox.finish(1), ['b'])
  })

  it('what was declared and is gone is made again', async () => {
    const { backend, exchange, subscription } = await line()
    const inbox = await consume(backend, subscription)
    const channel = await foreignChannel()
    await channel.deleteQueue(subscription)
    await channel.deleteExchange(exchange)
    proxy.cut()
    // Found unroutable or refused until the topology is there again.
    for (;;) {
      const outcome = await backend.publish.send([{ message: message(exchange, 'a') }]).catch(() => undefined)
      if (outcome?.[0] === 'confirmed') break
    }
    assert.deepEqual(await inbox.finish(1), ['a'])
  })
})

describe('publishing', () => {
  it('a message that the broker will not have fails alone', async () => {
    const { backend, exchange, subscription } = await line()
    const headers = { large: 'x'.repeat(70_000) }
    const outcomes = await Promise.allSettled([
      backend.publish.send([{ message: message(exchange, 'a') }]),
      backend.publish.send([{ message: message(exchange, 'b', { headers }) }]),
      backend.publish.send([{ message: message(exchange, 'c') }]),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.equal((outcomes[1] as PromiseRejectedResult).reason.code, 'E_MESSAGE_BODY_SIZE')
    assert.deepEqual(await (await consume(backend, subscription)).finish(2), ['a', 'c'])
  })

  it('an exchange that was deleted meanwhile fails its messages and no others', async () => {
    const { backend, exchange, subscription } = await line()
    const gone = name('gone')
    await backend.topology.declareExchange({ name: gone, type: 'fanout' })
    await (await foreignChannel()).deleteExchange(gone)
    const outcomes = await Promise.allSettled([
      backend.publish.send([{ message: message(exchange, 'a') }]),
      backend.publish.send([{ message: message(gone, 'b') }]),
      backend.publish.send([{ message: message(exchange, 'c') }]),
    ])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.equal((outcomes[1] as PromiseRejectedResult).reason.code, 'E_MESSAGE_EXCHANGE_UNKNOWN')
    // What was not confirmed when the broker closed the channel was published again: at least once, under the same id.
    const inbox = await consume(backend, subscription)
    const came = new Set<string>()
    while (came.size < 2) for (const topic of await inbox.finish(1)) came.add(topic)
    assert.deepEqual([...came].sort(), ['a', 'c'])
  })

  it('ten thousand messages in one call are confirmed, in their order', async () => {
    const { backend, exchange, subscription } = await line({ maxUnconfirmed: 500 })
    const count = 10_000
    const sent = Array.from({ length: count }, (_, index) => ({ message: message(exchange, `n.${index}`) }))
    const outcomes = await backend.publish.send(sent)
    assert.ok(outcomes.every((outcome) => outcome === 'confirmed'))
    const inbox = await consume(backend, subscription, 500)
    const came: string[] = []
    while (came.length < count) came.push(...(await inbox.finish(1)))
    assert.deepEqual(
      came,
      sent.map(({ message: { topic } }) => topic),
    )
  })
})

describe('levels', () => {
  it('what waits in a level that is kept apart no longer joins the others', async () => {
    const { backend, exchange, subscription } = await line({}, { levels })
    for (const level of levels) await backend.publish.send([{ message: message(exchange, level, { level }) }])
    await backend.topology.declareSubscription(spec(subscription, exchange))
    await backend.publish.send([{ message: message(exchange, 'after', { level: 'critical' }) }])
    assert.equal(await backend.inspect.waiting(subscription), 5)
    const inbox = await consume(backend, subscription)
    assert.deepEqual((await inbox.finish(5)).sort(), ['after', ...levels].sort())
  })
})

describe('inspecting', () => {
  it('the management API tells what AMQP cannot', async () => {
    const { managementUrl } = ground
    const { backend, exchange, subscription } = await line({ managementUrl })
    const inbox = await consume(backend, subscription)
    await backend.publish.send([{ message: message(exchange, 'a') }])
    const delivery = await inbox.next()
    // Its figures are some seconds old.
    for (;;) {
      const state = await backend.inspect.subscription(subscription)
      if (state?.unsettled === 1 && state.rates.in !== undefined) break
    }
    await delivery.settle({ type: 'done' })
  })

  it('a prefix keeps applications apart', async () => {
    const one = await open({ prefix: 'one.' })
    const two = await open({ prefix: 'two.' })
    const exchange = name('exchange')
    await one.topology.declareExchange({ name: exchange, type: 'topic' })
    await two.topology.declareExchange({ name: exchange, type: 'fanout' })
    assert.deepEqual(await one.inspect.exchanges(), [{ name: exchange, type: 'topic' }])
    assert.deepEqual(await two.inspect.exchanges(), [{ name: exchange, type: 'fanout' }])
  })
})

import assert from 'node:assert/strict'
import type { ExchangeType } from '../../backend/topology_port.ts'
import type { Clause, Subject } from './subject.ts'

/** Publishes topics to an exchange with one binding; those that came. */
async function matched(subject: Subject, type: ExchangeType, pattern: string, topics: readonly string[]) {
  const exchange = await subject.exchange(type)
  const subscription = await subject.subscription(exchange, [pattern])
  const came: string[] = []
  for (const topic of topics) if ((await subject.send(exchange, topic)) === 'confirmed') came.push(topic)
  const inbox = await subject.consume(subscription, 100)
  assert.deepEqual(await inbox.finish(came.length), came, 'what is confirmed is what is given')
  return came
}

/** Who gets what. */
export function routingClauses(clause: Clause): void {
  clause('a star stands for one word', async (subject) => {
    const topics = ['order.placed', 'order', 'order.placed.twice', 'orders.placed', 'order.paid', 'placed.order']
    assert.deepEqual(await matched(subject, 'topic', 'order.*', topics), ['order.placed', 'order.paid'])
    assert.deepEqual(await matched(subject, 'topic', '*.placed.*', ['order.placed', 'a.placed.b', 'placed']), [
      'a.placed.b',
    ])
  })

  clause('a hash stands for any number of words, none too, wherever it is', async (subject) => {
    const topics = ['a', 'a.b', 'a.b.c', 'b.a', 'b', 'c.b.a.b', 'a.x.y.b']
    assert.deepEqual(await matched(subject, 'topic', 'a.#', topics), ['a', 'a.b', 'a.b.c', 'a.x.y.b'])
    assert.deepEqual(await matched(subject, 'topic', '#.b', topics), ['a.b', 'b', 'c.b.a.b', 'a.x.y.b'])
    assert.deepEqual(await matched(subject, 'topic', 'a.#.b', topics), ['a.b', 'a.x.y.b'])
    assert.deepEqual(await matched(subject, 'topic', '#', topics), topics)
    assert.deepEqual(await matched(subject, 'topic', '#.*', topics), topics)
  })

  clause('letters that mean something elsewhere mean themselves', async (subject) => {
    assert.deepEqual(await matched(subject, 'topic', 'a+b.*', ['a+b.c', 'aab.c', 'a+b']), ['a+b.c'])
    assert.deepEqual(await matched(subject, 'topic', 'a.b', ['a.b', 'axb', 'a.B']), ['a.b'])
  })

  clause('a direct exchange compares whole topics, and stars are letters to it', async (subject) => {
    assert.deepEqual(await matched(subject, 'direct', 'a.b', ['a.b', 'a', 'a.b.c']), ['a.b'])
    assert.deepEqual(await matched(subject, 'direct', 'a.*', ['a.b', 'a.*']), ['a.*'])
  })

  clause('a fanout exchange gives everything to everybody', async (subject) => {
    const exchange = await subject.exchange('fanout')
    const [one, two] = [await subject.subscription(exchange, ['']), await subject.subscription(exchange, [''])]
    await subject.publish(exchange, 'a', 'b.c')
    for (const subscription of [one, two])
      assert.deepEqual(await (await subject.consume(subscription)).finish(2), ['a', 'b.c'])
  })

  clause('a subscription with several bindings that match gets one copy', async (subject) => {
    const exchange = await subject.exchange()
    const subscription = await subject.subscription(exchange, ['order.*', '#', 'order.placed'])
    await subject.publish(exchange, 'order.placed', 'last')
    const inbox = await subject.consume(subscription)
    assert.deepEqual(await subject.topicsUntil(inbox, 'last'), ['order.placed'])
  })

  clause('a subscription may listen to several exchanges', async (subject) => {
    const [one, two] = [await subject.exchange('topic'), await subject.exchange('fanout')]
    const name = subject.name('subscription')
    const bindings = [
      { exchange: one, pattern: 'a' },
      { exchange: two, pattern: '' },
    ]
    await subject.backend.topology.declareSubscription(subject.spec(name, bindings))
    await subject.publish(one, 'a')
    await subject.publish(two, 'b')
    const deliveries = await (await subject.consume(name)).take(2)
    assert.deepEqual(deliveries.map(({ message }) => message.exchange).sort(), [one, two].sort())
  })

  clause('what nobody is bound to is unroutable, beside others that are routed', async (subject) => {
    const exchange = await subject.exchange()
    const subscription = await subject.subscription(exchange, ['a'])
    const messages = ['a', 'x', 'a', 'y'].map((topic) => ({ message: subject.message(exchange, topic) }))
    assert.deepEqual(await subject.backend.publish.send(messages), [
      'confirmed',
      'unroutable',
      'confirmed',
      'unroutable',
    ])
    assert.deepEqual(await (await subject.consume(subscription)).finish(2), ['a', 'a'])
  })

  clause('nothing published is nothing to confirm', async ({ backend }) => {
    assert.deepEqual(await backend.publish.send([]), [])
  })

  clause('all that a message carries arrives', async (subject) => {
    const { exchange, subscription } = await subject.line()
    const sent = subject.message(exchange, 'order.placed', {
      body: '{"text":"ünïcode \\u0000 😀"}',
      headers: { 'x-tenant': 'çelik', empty: '' },
      publishedAt: 1_900_000_000_123,
      expiresAt: 4_000_000_000_000,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      requestId: 'r-1',
      replyTo: 'somewhere',
      correlationId: 'c-1',
    })
    await subject.backend.publish.send([{ message: sent }])
    const delivery = await (await subject.consume(subscription)).next()
    assert.deepEqual({ ...delivery.message }, sent)
    assert.deepEqual(delivery.notes, [])
    assert.equal(delivery.isRedelivered, false)
    assert.equal(delivery.signal.aborted, false)
  })

  clause('a body of bytes arrives as bytes', async (subject) => {
    const { exchange, subscription } = await subject.line()
    const body = Uint8Array.from({ length: 300 }, (_, index) => index % 256)
    const said = { body, contentType: 'application/octet-stream' }
    await subject.send(exchange, 'a', said)
    const { message } = await (await subject.consume(subscription)).next()
    assert.ok(message.body instanceof Uint8Array)
    assert.deepEqual(Buffer.from(message.body), Buffer.from(body))
    assert.equal(message.contentType, 'application/octet-stream')
  })
}

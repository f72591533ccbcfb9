import assert from 'node:assert/strict'
import { type Clause, topicsOf } from './subject.ts'

/** What there is to publish to and to consume from. */
export function topologyClauses(clause: Clause): void {
  clause('an exchange is declared any number of times, by any process', async (subject) => {
    const exchange = await subject.exchange('direct')
    const other = await subject.open()
    await other.topology.declareExchange({ name: exchange, type: 'direct' })
    await subject.backend.topology.declareExchange({ name: exchange, type: 'direct' })
  })

  clause('an exchange of another type is refused with what is there', async (subject) => {
    const exchange = await subject.exchange('direct')
    const other = await subject.open()
    await assert.rejects(other.topology.declareExchange({ name: exchange, type: 'fanout' }), (error: Error) => {
      assert.equal((error as { code?: string }).code, 'E_MESSAGE_TOPOLOGY')
      assert.match(error.message, new RegExp(exchange))
      assert.match(error.message, /direct/)
      return true
    })
    await subject.subscription(exchange, ['a'])
    assert.equal(await subject.send(exchange, 'a', {}, other), 'confirmed', 'the connection goes on')
  })

  clause('a subscription of an exchange that is not there is refused', async (subject) => {
    const exchange = subject.name('nowhere')
    const spec = subject.spec(subject.name('subscription'), [{ exchange, pattern: '#' }])
    await assert.rejects(subject.backend.topology.declareSubscription(spec), { code: 'E_MESSAGE_EXCHANGE_UNKNOWN' })
    const { exchange: known } = await subject.line()
    assert.equal(await subject.send(known, 'a'), 'confirmed', 'the connection goes on')
  })

  clause('publishing to an exchange that is not there is refused', async (subject) => {
    await assert.rejects(subject.send(subject.name('nowhere'), 'a'), { code: 'E_MESSAGE_EXCHANGE_UNKNOWN' })
    const { exchange } = await subject.line()
    assert.equal(await subject.send(exchange, 'a'), 'confirmed', 'the connection goes on')
  })

  clause('a subscription that is declared again keeps what waits in it', async (subject) => {
    const exchange = await subject.exchange()
    const name = await subject.subscription(exchange, ['a'])
    await subject.publish(exchange, 'a')
    const other = await subject.open()
    await other.topology.declareSubscription(subject.spec(name, [{ exchange, pattern: 'a' }]))
    const inbox = await subject.consume(name)
    assert.deepEqual(await inbox.finish(1), ['a'])
  })

  clause(
    'bindings that a subscription has no longer are taken away, by a process that did not make them',
    async (subject) => {
      const exchange = await subject.exchange()
      const name = await subject.subscription(exchange, ['a', 'b'])
      const other = await subject.open()
      const bindings = ['b', 'c'].map((pattern) => ({ exchange, pattern }))
      await other.topology.declareSubscription(subject.spec(name, bindings))
      assert.equal(await subject.send(exchange, 'a'), 'unroutable')
      await subject.publish(exchange, 'b', 'c')
      const inbox = await subject.consume(name)
      assert.deepEqual(topicsOf(await inbox.take(2)), ['b', 'c'])
    },
  )

  clause('a removed subscription gets nothing more, and what waited is gone', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    assert.equal(await subject.backend.topology.removeSubscription(subscription), true)
    assert.equal(await subject.backend.topology.removeSubscription(subscription), false)
    assert.equal(await subject.send(exchange, 'b'), 'unroutable')
    await subject.backend.topology.declareSubscription(subject.spec(subscription, [{ exchange, pattern: '#' }]))
    await subject.publish(exchange, 'c')
    const inbox = await subject.consume(subscription)
    assert.deepEqual(await inbox.finish(1), ['c'])
  })

  clause('dead letters outlive their subscription', async (subject) => {
    const { subscription, inbox } = await subject.dead('a')
    await inbox.consumer!.stop()
    await subject.backend.topology.removeSubscription(subscription)
    assert.equal(await subject.backend.deadLetters.count(subscription), 1)
  })

  clause('a subscription declared by another process is seen by the next publish', async (subject) => {
    const exchange = await subject.exchange()
    await subject.subscription(exchange, ['a'])
    const other = await subject.open()
    assert.equal(await subject.send(exchange, 'a', {}, other), 'confirmed')
    for (const topic of ['b', 'c', 'd']) {
      assert.equal(await subject.send(exchange, topic, {}, other), 'unroutable')
      await subject.subscription(exchange, [topic])
      assert.equal(await subject.send(exchange, topic, {}, other), 'confirmed')
    }
  })
}

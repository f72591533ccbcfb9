import assert from 'node:assert/strict'
import type { Clause } from './subject.ts'

/** What can be seen. */
export function inspectClauses(clause: Clause): void {
  clause('exchanges and subscriptions are seen by a process that did not declare them', async (subject) => {
    const exchange = await subject.exchange('direct')
    const subscription = await subject.subscription(exchange, ['a', 'b'])
    const other = await subject.open()
    const exchanges = await other.inspect.exchanges()
    assert.equal(exchanges.find(({ name }) => name === exchange)?.type, 'direct')
    const states = await other.inspect.subscriptions()
    const state = states.find(({ name }) => name === subscription)
    assert.deepEqual(state?.bindings.map(({ pattern }) => pattern).sort(), ['a', 'b'])
    assert.equal(await other.inspect.subscription(subject.name('nowhere')), undefined)
  })

  clause('depths are those of the store', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a', 'b', 'c', 'd')
    assert.equal(await subject.backend.inspect.waiting(subscription), 4)
    const inbox = await subject.consume(subscription, 2)
    const [first, second] = await inbox.take(2)
    await inbox.consumer!.pause()
    await first!.settle({ type: 'dead', reason: 'permanent', note: undefined })
    const state = await subject.backend.inspect.subscription(subscription)
    assert.equal(state?.dead, 1)
    assert.equal(state?.waiting, 2)
    assert.ok(state.unsettled === undefined || state.unsettled === 1)
    await second!.settle({ type: 'done' })
  })

  clause('a store that can be reached is healthy', async (subject) => {
    const health = await subject.backend.inspect.health()
    assert.equal(health.isUp, true)
    assert.equal(health.isBlocked, false)
    assert.equal(typeof health.detail, 'string')
  })
}

import assert from 'node:assert/strict'
import { systemClock } from '@tailwater/core'
import { levels } from '../../message.ts'
import type { Clause } from './subject.ts'

/** What waits: delays, levels, limits. */
export function waitingClauses(clause: Clause): void {
  clause('a delayed message comes after its time, and holds nobody up', async (subject) => {
    const { exchange, subscription } = await subject.line()
    const deliverAt = systemClock.now() + 700
    assert.equal(await subject.send(exchange, 'late', { deliverAt }), 'confirmed')
    await subject.publish(exchange, 'soon')
    const inbox = await subject.consume(subscription)
    assert.deepEqual(await inbox.finish(1), ['soon'])
    assert.deepEqual(await inbox.finish(1), ['late'])
    assert.ok(systemClock.now() >= deliverAt - 25, 'it does not come early')
  })

  clause('a short delay is not held up by a long one before it', async (subject) => {
    const { exchange, subscription } = await subject.line()
    const inbox = await subject.consume(subscription)
    await subject.send(exchange, 'long', { deliverAt: systemClock.now() + 3_600_000 })
    // After the first, with which a store may make what it needs for delays.
    const now = systemClock.now()
    await subject.send(exchange, 'middle', { deliverAt: now + 1_500 })
    await subject.send(exchange, 'short', { deliverAt: now + 200 })
    assert.deepEqual(await inbox.finish(1), ['short'])
    assert.deepEqual(await inbox.finish(1), ['middle'])
  })

  clause('a moment that is past means now', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.send(exchange, 'a', { deliverAt: systemClock.now() - 60_000 })
    assert.deepEqual(await (await subject.consume(subscription)).finish(1), ['a'])
  })

  clause('a delayed message that nobody is bound to is unroutable', async (subject) => {
    const exchange = await subject.exchange()
    assert.equal(await subject.send(exchange, 'a', { deliverAt: systemClock.now() + 1_000 }), 'unroutable')
  })

  clause('a higher level has the larger part, and no level waits for all of another', async (subject) => {
    const { exchange, subscription } = await subject.line({ levels })
    const each = 40
    for (const level of ['low', 'normal', 'high', 'critical'] as const)
      await subject.backend.publish.send(
        Array.from({ length: each }, () => ({ message: subject.message(exchange, level, { level }) })),
      )
    const inbox = await subject.consume(subscription, 1)
    const came: string[] = []
    for (let at = 0; at < 3 * each; at++) came.push(...(await inbox.finish(1)))
    const share = (level: string) => came.slice(0, each).filter((topic) => topic === level).length
    assert.ok(share('critical') > share('high'), `${came}`)
    assert.ok(share('high') > share('normal'), `${came}`)
    assert.ok(share('normal') > 0 && came.includes('low'), `${came}`)
  })

  clause('a level that is not kept apart joins the nearest lower one, or the lowest', async (subject) => {
    const { exchange, subscription } = await subject.line({ levels: ['high', 'normal'] })
    for (const level of levels) await subject.send(exchange, level, { level })
    const deliveries = await (await subject.consume(subscription)).take(4)
    assert.deepEqual(deliveries.map(({ message }) => message.topic).sort(), [...levels].sort())
    assert.ok(
      deliveries.every(({ message }) => message.level === message.topic),
      'it keeps its own level',
    )
  })

  clause('what waited for longer than the ttl is not given', async (subject) => {
    const { exchange, subscription } = await subject.line({ ttl: 300 })
    await subject.publish(exchange, 'old')
    // A delayed message of another line comes after 700 ms: by then the ttl is over for certain.
    const other = await subject.line()
    await subject.send(other.exchange, 'bell', { deliverAt: systemClock.now() + 700 })
    await (await subject.consume(other.subscription)).finish(1)
    await subject.publish(exchange, 'new')
    assert.deepEqual(await (await subject.consume(subscription)).finish(1), ['new'])
  })

  clause('a full subscription refuses what is published, and takes it when there is room', async (subject) => {
    const { exchange, subscription } = await subject.line({ maxLength: 3 })
    await subject.publish(exchange, 'a', 'b', 'c')
    await assert.rejects(subject.send(exchange, 'd'), { code: 'E_MESSAGE_QUEUE_FULL' })
    const inbox = await subject.consume(subscription)
    assert.deepEqual(await inbox.finish(3), ['a', 'b', 'c'])
    assert.equal(await subject.send(exchange, 'e'), 'confirmed')
    assert.deepEqual(await inbox.finish(1), ['e'])
  })
}

import assert from 'node:assert/strict'
import { systemClock } from '@tailwater/core'
import { bury, type Clause, retry } from './subject.ts'

/** How deliveries end. */
export function settlingClauses(clause: Clause): void {
  clause('what is done does not come again', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const inbox = await subject.consume(subscription)
    await inbox.finish(1)
    await inbox.consumer!.stop()
    await subject.publish(exchange, 'b')
    assert.deepEqual(await (await subject.consume(subscription, 10, await subject.open())).finish(1), ['b'])
  })

  clause('a retry comes again with its notes, after its time, and holds nobody up', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a', 'b', 'c')
    const inbox = await subject.consume(subscription, 1)
    const first = await inbox.next()
    const due = systemClock.now() + 600
    await retry(first, 600, 'not yet')
    assert.deepEqual(await inbox.finish(1), ['b'])
    assert.deepEqual(await inbox.finish(1), ['c'])
    const again = await inbox.next()
    assert.equal(again.message.topic, 'a')
    assert.equal(again.message.id, first.message.id)
    assert.ok(systemClock.now() >= due - 25, 'it does not come early')
    assert.equal(again.notes.length, 1)
    assert.equal(again.notes[0]!.error, 'not yet')
    assert.equal(again.notes[0]!.code, 'ENONE')
    assert.equal(again.isRedelivered, false)
  })

  clause('notes add up from attempt to attempt', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const inbox = await subject.consume(subscription)
    for (const error of ['one', 'two', 'three']) await retry(await inbox.next(), 1, error)
    const { notes } = await inbox.next()
    assert.deepEqual(
      notes.map(({ attempt, error }) => [attempt, error]),
      [
        [1, 'one'],
        [2, 'two'],
        [3, 'three'],
      ],
    )
  })

  clause('a retry comes to its own subscription alone', async (subject) => {
    const exchange = await subject.exchange()
    const [one, two] = [await subject.subscription(exchange, ['#']), await subject.subscription(exchange, ['#'])]
    await subject.publish(exchange, 'a')
    const mine = await subject.consume(one)
    const others = await subject.consume(two)
    assert.deepEqual(await others.finish(1), ['a'])
    await retry(await mine.next(), 1)
    assert.deepEqual(await mine.finish(1), ['a'])
    await subject.publish(exchange, 'b')
    assert.deepEqual(await others.finish(1), ['b'])
  })

  clause('what is released comes again at once, uncounted', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const inbox = await subject.consume(subscription)
    await (await inbox.next()).settle({ type: 'released' })
    const again = await inbox.next()
    assert.equal(again.message.topic, 'a')
    assert.deepEqual(again.notes, [])
  })

  clause('what was released many times is not poison', async (subject) => {
    const { exchange, subscription } = await subject.line({ maxCrashes: 2 })
    await subject.publish(exchange, 'a')
    const inbox = await subject.consume(subscription)
    for (let time = 0; time < 6; time++) await (await inbox.next()).settle({ type: 'released' })
    assert.deepEqual(await inbox.finish(1), ['a'])
  })

  clause('what is dead is in the dead letters when it is settled, and comes no more', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const inbox = await subject.consume(subscription)
    await bury(await inbox.next())
    assert.equal(await subject.backend.deadLetters.count(subscription), 1)
    await subject.publish(exchange, 'b')
    assert.deepEqual(await inbox.finish(1), ['b'])
  })

  clause('a delivery is settled once', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const inbox = await subject.consume(subscription)
    const delivery = await inbox.next()
    await delivery.settle({ type: 'done' })
    await assert.rejects(delivery.settle({ type: 'done' }), { code: 'E_MESSAGE_LOST' })
    assert.equal(await subject.backend.deadLetters.count(subscription), 0)
  })
}

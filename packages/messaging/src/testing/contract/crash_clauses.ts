import assert from 'node:assert/strict'
import { type Clause, retry } from './subject.ts'

/** What becomes of what a dead consumer held. */
export function crashClauses(clause: Clause): void {
  clause('what a dead consumer held is given again', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a', 'b')
    const dying = await subject.open()
    await (await subject.consume(subscription, 10, dying)).take(2)
    await subject.crash(dying)
    const again = await (await subject.consume(subscription)).take(2)
    assert.deepEqual(again.map(({ message }) => message.topic).sort(), ['a', 'b'])
    assert.ok(again.every(({ isRedelivered, notes }) => isRedelivered && notes.length === 0))
  })

  clause('what was settled by a consumer that then died does not come again', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a', 'b')
    const dying = await subject.open()
    const inbox = await subject.consume(subscription, 10, dying)
    assert.deepEqual(await inbox.finish(1), ['a'])
    await inbox.next()
    await subject.crash(dying)
    await subject.publish(exchange, 'c')
    const came = await (await subject.consume(subscription)).finish(2)
    assert.deepEqual(came.sort(), ['b', 'c'])
  })

  clause('what a dead consumer says is refused', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const dying = await subject.open()
    const delivery = await (await subject.consume(subscription, 1, dying)).next()
    await subject.crash(dying)
    const again = await (await subject.consume(subscription)).next()
    await dying.stop(0)
    await assert.rejects(delivery.settle({ type: 'dead', reason: 'permanent', note: undefined }))
    await again.settle({ type: 'done' })
    assert.equal(await subject.backend.deadLetters.count(subscription), 0)
  })

  clause('a crash is not an attempt: notes are as they were', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const dying = await subject.open()
    const inbox = await subject.consume(subscription, 1, dying)
    await retry(await inbox.next(), 1, 'first')
    await inbox.next()
    await subject.crash(dying)
    const again = await (await subject.consume(subscription)).next()
    assert.deepEqual(
      again.notes.map(({ attempt, error }) => [attempt, error]),
      [[1, 'first']],
    )
    assert.equal(again.isRedelivered, true)
  })

  clause('a message that kills its consumers becomes a dead letter, and the others go on', async (subject) => {
    const { exchange, subscription } = await subject.line({ maxCrashes: 1 })
    await subject.publish(exchange, 'poison')
    for (let time = 0; time < 2; time++) {
      const dying = await subject.open()
      assert.equal((await (await subject.consume(subscription, 1, dying)).next()).message.topic, 'poison')
      await subject.crash(dying)
    }
    const inbox = await subject.consume(subscription, 1)
    // The death of the last consumer is noticed in a while; others are served all the time.
    do {
      await subject.publish(exchange, 'good')
      assert.deepEqual(await inbox.finish(1), ['good'])
    } while ((await subject.backend.deadLetters.count(subscription)) === 0)
    const { letters } = await subject.backend.deadLetters.list(subscription, { limit: 10 })
    assert.deepEqual(
      letters.map(({ reason, message }) => [reason, message.topic]),
      [['poison', 'poison']],
    )
  })
}

import assert from 'node:assert/strict'
import type { Clause } from './subject.ts'

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `n.${index}`)

/** How messages are given out. */
export function consumingClauses(clause: Clause): void {
  clause('consumers compete: each message goes to one of them', async (subject) => {
    const { exchange, subscription } = await subject.line()
    const inboxes = [
      await subject.consume(subscription, 5),
      await subject.consume(subscription, 5),
      await subject.consume(subscription, 5, await subject.open()),
    ]
    const topics = numbered(60)
    await subject.publish(exchange, ...topics)
    const came: string[] = []
    let left = topics.length
    await new Promise<void>((resolve, reject) => {
      for (const inbox of inboxes)
        void (async () => {
          for (;;) {
            const delivery = await inbox.next()
            came.push(delivery.message.topic)
            await delivery.settle({ type: 'done' })
            if (--left === 0) resolve()
          }
        })().catch(reject)
    })
    assert.deepEqual(came.sort(), [...topics].sort())
  })

  clause('no more than the prefetch is unsettled at once', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, ...numbered(10))
    const inbox = await subject.consume(subscription, 3)
    const held = await inbox.take(3)
    // Another consumer gets what the first has no room for, and so shows that it is there to be had.
    const other = await subject.consume(subscription, 7)
    await other.take(7)
    assert.equal(inbox.count, 0)
    await subject.publish(exchange, 'more')
    await held[0]!.settle({ type: 'done' })
    assert.equal((await inbox.next()).message.topic, 'more')
  })

  clause('the prefetch can be raised while messages wait', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, ...numbered(5))
    const inbox = await subject.consume(subscription, 1)
    await inbox.next()
    await inbox.consumer!.setPrefetch(5)
    assert.equal((await inbox.take(4)).length, 4)
  })

  clause('a consumer that is there hears of what is published afterwards', async (subject) => {
    const { exchange, subscription } = await subject.line()
    const inbox = await subject.consume(subscription, 10, await subject.open())
    for (const topic of numbered(5)) {
      await subject.publish(exchange, topic)
      assert.deepEqual(await inbox.finish(1), [topic])
    }
  })

  clause('a paused consumer takes nothing, and goes on when it is resumed', async (subject) => {
    const { exchange, subscription } = await subject.line()
    const inbox = await subject.consume(subscription)
    await inbox.consumer!.pause()
    await subject.publish(exchange, 'a', 'b')
    const other = await subject.consume(subscription, 2)
    await other.finish(2)
    await other.consumer!.stop()
    assert.equal(inbox.count, 0)
    await subject.publish(exchange, 'c')
    await inbox.consumer!.resume()
    assert.deepEqual(await inbox.finish(1), ['c'])
  })

  clause('what a paused consumer was given before can be settled', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const inbox = await subject.consume(subscription)
    const delivery = await inbox.next()
    await inbox.consumer!.pause()
    await delivery.settle({ type: 'done' })
    await inbox.consumer!.resume()
    await subject.publish(exchange, 'b')
    assert.deepEqual(await inbox.finish(1), ['b'])
  })

  clause('a consumer that stops waits for what it has given', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const inbox = await subject.consume(subscription)
    const delivery = await inbox.next()
    const order: string[] = []
    const stopping = inbox.consumer!.stop().then(() => order.push('stopped'))
    await delivery.settle({ type: 'done' })
    order.push('settled')
    await stopping
    assert.deepEqual(order, ['settled', 'stopped'])
    await subject.publish(exchange, 'b')
    assert.deepEqual(await (await subject.consume(subscription)).finish(1), ['b'])
  })

  clause('a consumer that must stop gives back what it has, uncounted', async (subject) => {
    const { exchange, subscription } = await subject.line()
    await subject.publish(exchange, 'a')
    const inbox = await subject.consume(subscription)
    const delivery = await inbox.next()
    await inbox.consumer!.stop(0)
    assert.equal(delivery.signal.aborted, true)
    await assert.rejects(delivery.settle({ type: 'done' }), { code: 'E_MESSAGE_LOST' })
    const again = await (await subject.consume(subscription)).next()
    assert.equal(again.message.topic, 'a')
    assert.deepEqual(again.notes, [])
  })

  clause('consuming a subscription that is not there is refused', async (subject) => {
    await assert.rejects(subject.consume(subject.name('nowhere')), { code: 'E_MESSAGE_TOPOLOGY' })
  })

  clause('within one level messages come in the order of their publishing', async (subject) => {
    const { exchange, subscription } = await subject.line()
    const topics = numbered(40)
    for (let at = 0; at < topics.length; at += 4) await subject.publish(exchange, ...topics.slice(at, at + 4))
    const inbox = await subject.consume(subscription, 7)
    const came: string[] = []
    for (const _ of topics) came.push(...(await inbox.finish(1)))
    assert.deepEqual(came, topics)
  })
}

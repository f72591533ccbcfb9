import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { type BackgroundErrorEvent, backgroundError, listen, runInContext } from '@tailwater/core'
import type { FakeClock } from '@tailwater/core/testing'
import type { ConsumerOptions, OutboxHandler } from '../outbox/consumer.ts'
import type { OutboxMessage } from '../outbox/message.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { SqlExecutor } from '../queryable.ts'

/** One process that follows an outbox. */
export interface OutboxNode {
  readonly outbox: Outbox
  /** The node's own: while it stands still the node neither polls nor renews, as a frozen process. */
  readonly clock: FakeClock
  /** Ends it as `kill -9` does: it gives nothing back and writes nothing more. */
  crash(): Promise<void>
}

/** An outbox, and how its processes and its time are moved. */
export interface OutboxUnderTest {
  /** A further process, not started. */
  node(): OutboxNode
  /** A user's own transaction, which offers no hook after its commit. */
  transaction<T>(body: (tx: SqlExecutor) => Promise<T>): Promise<T>
  /** Makes `ms` pass for the leases of all nodes; at least as long as they last for `'lease'`. */
  pass(ms: 'lease'): Promise<void>
  close(): Promise<void>
}

/** What every `Outbox` promises. */
export function outboxContract(
  name: string,
  { open, except = {} }: { open(): Promise<OutboxUnderTest>; except?: Record<string, string> },
): void {
  describe(`${name} keeps the Outbox contract`, () => {
    let subject: OutboxUnderTest
    beforeEach(async () => {
      subject = await open()
    })
    afterEach(() => subject.close())

    clause('nothing of a transaction that was rolled back is delivered', async ({ node, transaction }) => {
      const one = await follower(node())
      await assert.rejects(
        transaction(async (tx) => {
          await one.outbox.append(tx, 'order', 'undone')
          throw new Error('the transaction fails')
        }),
      )
      await transaction((tx) => one.outbox.append(tx, 'order', 'done'))
      assert.deepEqual(await one.take(1), ['done'])
    })

    clause(
      'everything that was committed is delivered, in the order in which it was',
      async ({ node, transaction }) => {
        const one = await follower(node())
        for (let order = 0; order < 20; order++)
          await transaction(async (tx) => {
            await one.outbox.append(tx, 'order', `${order} a`)
            await one.outbox.append(tx, 'order', `${order} b`)
          })
        assert.deepEqual(
          await one.take(40),
          Array.from({ length: 40 }, (_, i) => `${Math.floor(i / 2)} ${i % 2 === 0 ? 'a' : 'b'}`),
        )
      },
    )

    clause('a transaction that began first and commits last holds nobody up and is not skipped', async (under) => {
      const one = await follower(under.node())
      const mayCommit = Promise.withResolvers<void>()
      const hasAppended = Promise.withResolvers<void>()
      const slow = under.transaction(async (tx) => {
        await one.outbox.append(tx, 'order', 'slow')
        hasAppended.resolve()
        await mayCommit.promise
      })
      await hasAppended.promise
      await under.transaction((tx) => one.outbox.append(tx, 'order', 'quick'))
      assert.deepEqual(await one.take(1), ['quick'])
      mayCommit.resolve()
      await slow
      await under.transaction((tx) => one.outbox.append(tx, 'order', 'next'))
      assert.deepEqual(await one.take(2), ['slow', 'next'])
    })

    clause('sequences grow by one from message to message', async ({ node, transaction }) => {
      const one = await follower(node())
      for (let order = 0; order < 5; order++) await transaction((tx) => one.outbox.append(tx, 'order', order))
      await one.take(5)
      const [first] = one.messages
      assert.deepEqual(
        one.messages.map(({ sequence }) => Number(sequence - first!.sequence)),
        [0, 1, 2, 3, 4],
      )
    })

    clause(
      'a message keeps its payload to the letter, and the context it was appended in',
      async ({ node, transaction }) => {
        const one = await follower(node())
        const payload = { text: '\u0000 \ud800 ü \u2028 "\\', big: 1e300, nested: [null, { a: false }] }
        const context = { requestId: 'r-1', traceparent: '00-11-22-01' }
        await runInContext(context, () => transaction((tx) => one.outbox.append(tx, 'order', payload)))
        assert.deepEqual(await one.take(1), [payload])
        assert.deepEqual(one.messages[0]?.context, context)
      },
    )

    clause('a consumer hears its topics only', async ({ node, transaction }) => {
      const one = await follower(node(), { topics: ['order.*', 'a_b'] })
      const topics = ['order.placed', 'orders', 'axb', 'a_b', 'order.paid']
      for (const topic of topics) await transaction((tx) => one.outbox.append(tx, topic, topic))
      assert.deepEqual(await one.take(3), ['order.placed', 'a_b', 'order.paid'])
    })

    clause('each consumer has its own position, and one that fails does not hold up another', async (under) => {
      const broken = await follower(under.node(), {}, 'broken', () => Promise.reject(new Error('broken consumer')))
      const sound = await follower(under.node(), {}, 'sound')
      for (const order of [1, 2]) await under.transaction((tx) => sound.outbox.append(tx, 'order', order))
      assert.deepEqual(await sound.take(2), [1, 2])
      assert.ok((await statusOf(broken.outbox, 'broken')).position < (await statusOf(sound.outbox, 'sound')).position)
    })

    clause('a message that fails is tried again, counted and reported, and none passes it by', async (under) => {
      const faults: BackgroundErrorEvent[] = []
      const endListening = listen(backgroundError, (event) => faults.push(event))
      let failures = 3
      const one = await follower(under.node(), {}, 'orders', (messages) => {
        if (messages.some(({ payload }) => payload === 'poison') && failures-- > 0) throw new Error('poisoned')
      })
      await under.transaction(async (tx) => {
        for (const order of ['before', 'poison', 'after']) await one.outbox.append(tx, 'order', order)
      })
      const handled = await one.takeUntil('after')
      endListening()
      assert.deepEqual([...new Set(handled)], ['before', 'poison', 'after'])
      assert.ok(handled.indexOf('after') > handled.indexOf('poison'))
      const own = faults.filter(({ source }) => source.includes('orders')).map(({ error }) => error.message)
      assert.equal(own.length, 3)
      assert.match(own.at(-1)!, /poisoned/)
    })

    clause('a message that is blocked is passed by when a person says so, and no other', async (under) => {
      const one = await follower(under.node(), {}, 'orders', ([message]) => {
        if (message?.payload === 'poison') throw new Error('poisoned')
      })
      await under.transaction((tx) => one.outbox.append(tx, 'order', 'poison'))
      await under.transaction((tx) => one.outbox.append(tx, 'order', 'after'))
      let blockedAt: bigint | undefined
      await one.until(async () => {
        blockedAt = (await statusOf(one.outbox, 'orders')).blockedAt
        return blockedAt !== undefined
      })
      assert.equal(await one.outbox.skip('orders', blockedAt! + 1n), false)
      assert.equal(await one.outbox.skip('orders', blockedAt!), true)
      assert.deepEqual(await one.takeUntil('after'), ['after'])
    })

    clause('of several processes one serves a consumer', async (under) => {
      const nodes = await Promise.all(['a', 'b', 'c'].map(() => follower(under.node())))
      for (let order = 0; order < 10; order++)
        await under.transaction((tx) => nodes[0]!.outbox.append(tx, 'order', order))
      const all = () => nodes.flatMap(({ messages }) => messages.map(({ payload }) => payload))
      await untilAll(nodes, () => all().length >= 10)
      assert.deepEqual(all(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
      assert.equal(nodes.filter(({ messages }) => messages.length > 0).length, 1)
    })

    clause('a process whose handler fails again and again leaves the line to another', async (under) => {
      const cutOff = await follower(under.node(), {}, 'orders', () => Promise.reject(new Error('cut off')))
      await under.transaction((tx) => cutOff.outbox.append(tx, 'order', 1))
      await cutOff.until(() => cutOff.calls > 0)
      const sound = await follower(under.node(), {}, 'orders')
      await untilAll([cutOff, sound], () => sound.settled > 0)
      assert.deepEqual(
        sound.messages.map(({ payload }) => payload),
        [1],
      )
    })

    clause('what was handled does not come again after a stop, and the next process goes on', async (under) => {
      const one = await follower(under.node())
      await under.transaction((tx) => one.outbox.append(tx, 'order', 1))
      await one.take(1)
      await one.outbox.stop()
      await under.transaction((tx) => one.outbox.append(tx, 'order', 2))
      const two = await follower(under.node())
      assert.deepEqual(await two.take(1), [2])
    })

    clause('a crash between handling and noting it brings the message again, in another process', async (under) => {
      const handled = Promise.withResolvers<void>()
      const one = await follower(under.node(), {}, 'orders', () => {
        handled.resolve()
        return new Promise(() => {})
      })
      await under.transaction((tx) => one.outbox.append(tx, 'order', 'once more'))
      await one.until(() => one.calls > 0)
      await handled.promise
      await one.crash()
      const two = await follower(under.node())
      await under.pass('lease')
      assert.deepEqual(await two.take(1), ['once more'])
    })

    clause('the note of a process that was frozen and has lost its lease is refused', async (under) => {
      const thaw = Promise.withResolvers<void>()
      const frozen = await follower(under.node(), {}, 'orders', () => thaw.promise)
      await under.transaction(async (tx) => {
        for (const order of [1, 2]) await frozen.outbox.append(tx, 'order', order)
      })
      await frozen.until(() => frozen.calls > 0)
      const next = await follower(under.node(), {}, 'orders', (messages) => {
        if (messages.some(({ payload }) => payload === 2)) throw new Error('gets no further than the first')
      })
      await under.pass('lease')
      assert.deepEqual(await next.take(1), [1])
      await next.until(async () => (await statusOf(next.outbox, 'orders')).blockedAt !== undefined)
      const { position } = await statusOf(next.outbox, 'orders')
      thaw.resolve()
      await frozen.until(() => frozen.settled > 0)
      await next.until(() => next.settled > 3)
      assert.equal((await statusOf(next.outbox, 'orders')).position, position)
      assert.equal(frozen.calls, 1, 'the deposed process went on handling')
    })

    clause('a stop waits for the handler that runs, and nothing is handled after it', async (under) => {
      const go = Promise.withResolvers<void>()
      const one = await follower(under.node(), {}, 'orders', () => go.promise)
      await under.transaction((tx) => one.outbox.append(tx, 'order', 1))
      await one.until(() => one.calls > 0)
      await under.transaction((tx) => one.outbox.append(tx, 'order', 2))
      const stopped = one.outbox.stop()
      go.resolve()
      await stopped
      assert.deepEqual([one.calls, one.settled], [1, 1])
      const two = await follower(under.node())
      assert.deepEqual(await two.take(1), [2])
    })

    function clause(title: string, body: (subject: OutboxUnderTest) => Promise<void>) {
      it(title, { skip: except[title] ?? false }, () => body(subject))
    }
  })
}

/**
 * Moves the clocks of nodes until something is so. Each step waits for an answer of the store: clocks that ran on
 * while the nodes' own statements are under way would end their leases.
 */
async function untilAll(
  nodes: readonly Pick<OutboxNode, 'outbox' | 'clock'>[],
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  while (!(await isSo())) {
    for (const { clock } of nodes) await clock.advance(50)
    await nodes[0]!.outbox.consumers()
  }
}

async function statusOf(outbox: Outbox, consumer: string) {
  const status = (await outbox.consumers()).find(({ name }) => name === consumer)
  assert.ok(status, `no consumer ${consumer}`)
  return status
}

/** Starts a node with one consumer that keeps what it has handled. */
async function follower(
  node: OutboxNode,
  options: ConsumerOptions = {},
  consumer = 'orders',
  handle: OutboxHandler = () => {},
) {
  const messages: OutboxMessage[] = []
  const one = {
    ...node,
    messages,
    calls: 0,
    settled: 0,
    until: (isSo: () => boolean | Promise<boolean>) => untilAll([node], isSo),
    /** The payloads handled, once there are as many; more is a fault. */
    async take(count: number): Promise<unknown[]> {
      const from = taken
      await one.until(() => messages.length >= from + count)
      taken = messages.length
      return messages.slice(from).map(({ payload }) => payload)
    },
    async takeUntil(last: unknown): Promise<unknown[]> {
      await one.until(() => messages.some(({ payload }) => payload === last))
      return messages.map(({ payload }) => payload)
    },
  }
  let taken = 0
  await node.outbox.consumer(
    consumer,
    async (batch, context) => {
      one.calls++
      try {
        await handle(batch, context)
        messages.push(...batch)
      } finally {
        one.settled++
      }
    },
    options,
  )
  await node.outbox.start()
  return one
}

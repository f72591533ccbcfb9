import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { systemClock } from '../clock.ts'
import type { Bus, BusMessage } from '../ports/bus.ts'

/** Buses of several processes on one transport. */
export interface BusUnderTest {
  /** Two nodes that see each other's messages. */
  nodes: readonly [Bus, Bus]
  /** Cuts the second node's subscriptions so that they miss what is published until `heal`. */
  cut(): Promise<void>
  heal(): Promise<void>
  /** Moves the transport's time or polls it, so that what is due arrives. */
  settle(): Promise<void>
  close(): Promise<void>
}

/** What every `Bus` promises. */
export function busContract(
  name: string,
  { open, except = {} }: { open(): Promise<BusUnderTest>; except?: Record<string, string> },
): void {
  describe(`${name} keeps the Bus contract`, () => {
    let subject: BusUnderTest
    beforeEach(async () => {
      subject = await open()
    })
    afterEach(() => subject.close())

    clause('a message reaches the subscribers of its topic on every node', async ({ nodes }) => {
      const inboxes = await Promise.all(nodes.map((node) => inboxOf(node, 'prices')))
      await nodes[0].publish('prices', { id: 1 })
      for (const inbox of inboxes) assert.deepEqual((await inbox.next(subject)).payload, { id: 1 })
    })

    clause('a subscriber hears its own topic only', async ({ nodes }) => {
      const inbox = await inboxOf(nodes[1], 'prices')
      await nodes[0].publish('stock', { id: 1 })
      await nodes[0].publish('prices', { id: 2 })
      assert.deepEqual((await inbox.next(subject)).payload, { id: 2 })
    })

    clause('messages of one publisher arrive in the order they were published', async ({ nodes }) => {
      const inbox = await inboxOf(nodes[1], 'prices')
      for (let id = 0; id < 50; id++) await nodes[0].publish('prices', id)
      const ids: unknown[] = []
      while (ids.length < 50) ids.push((await inbox.next(subject)).payload)
      assert.deepEqual(
        ids,
        Array.from({ length: 50 }, (_, id) => id),
      )
    })

    clause('a subscriber that fails does not stop the others, nor later messages', async ({ nodes }) => {
      await nodes[1].subscribe('prices', {
        onMessage() {
          throw new Error('broken subscriber')
        },
        onGap() {},
      })
      const inbox = await inboxOf(nodes[1], 'prices')
      await nodes[0].publish('prices', 1)
      await nodes[0].publish('prices', 2)
      assert.deepEqual([(await inbox.next(subject)).payload, (await inbox.next(subject)).payload], [1, 2])
    })

    clause('an ended subscription hears nothing more', async ({ nodes }) => {
      const ended = await inboxOf(nodes[1], 'prices')
      await ended.end()
      const witness = await inboxOf(nodes[1], 'prices')
      await nodes[0].publish('prices', 1)
      await witness.next(subject)
      assert.equal(ended.received, 0)
    })

    clause(
      'what was missed while cut off arrives later, or the subscriber hears of a gap first',
      async ({ nodes, cut, heal }) => {
        const inbox = await inboxOf(nodes[1], 'prices')
        await nodes[0].publish('prices', 'before')
        await inbox.next(subject)
        await cut()
        await nodes[0].publish('prices', 'missed')
        await heal()
        await nodes[0].publish('prices', 'after')
        const first = await inbox.next(subject)
        if (first.payload === 'missed') return
        assert.ok(inbox.gaps > 0, 'a message was skipped in silence')
      },
    )

    clause('`caughtUpAt` passes the moment of a message that has arrived', async ({ nodes }) => {
      const inbox = await inboxOf(nodes[1], 'prices')
      await nodes[0].publish('prices', 1)
      await inbox.next(subject)
      const moment = systemClock.elapsed()
      await caughtUp(nodes[1], moment, subject)
      assert.ok(nodes[1].caughtUpAt <= systemClock.elapsed())
    })

    clause('`caughtUpAt` stands still for who is cut off, until it has heard', async ({ nodes, cut, heal }) => {
      const inbox = await inboxOf(nodes[1], 'prices')
      await cut()
      const moment = systemClock.elapsed()
      await nodes[0].publish('prices', 'missed')
      assert.ok(nodes[1].caughtUpAt <= moment, 'it claims to have heard what it cannot have heard')
      await heal()
      await caughtUp(nodes[1], systemClock.elapsed(), subject)
      assert.ok(inbox.received > 0 || inbox.gaps > 0, 'it claims to have caught up, and delivered nothing')
    })

    function clause(title: string, body: (subject: BusUnderTest) => Promise<void>) {
      it(title, { skip: except[title] ?? false }, () => body(subject))
    }
  })
}

/** Resolves when everything published before `moment` has been handed out. */
async function caughtUp(bus: Bus, moment: number, subject: BusUnderTest): Promise<void> {
  while (bus.caughtUpAt < moment) {
    await subject.settle()
    await new Promise((resolve) => setImmediate(resolve))
  }
  // Subscribers take their turn behind the delivery.
  await new Promise((resolve) => setImmediate(resolve))
}

async function inboxOf(bus: Bus, topic: string) {
  const queue: BusMessage[] = []
  const waiting: ((message: BusMessage) => void)[] = []
  const inbox = {
    received: 0,
    gaps: 0,
    end: async () => {},
    async next(subject: BusUnderTest): Promise<BusMessage> {
      const queued = queue.shift()
      if (queued) return queued
      const arrival = new Promise<BusMessage>((resolve) => void waiting.push(resolve))
      await subject.settle()
      return arrival
    },
  }
  inbox.end = await bus.subscribe(topic, {
    onMessage(message) {
      inbox.received++
      const taker = waiting.shift()
      if (taker) taker(message)
      else queue.push(message)
    },
    onGap() {
      inbox.gaps++
    },
  })
  return inbox
}

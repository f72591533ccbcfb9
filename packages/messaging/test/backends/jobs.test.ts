import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createMemoryBus, messageDead, newId } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createMemoryBackend, type JobsBackend } from '@tailwater/jobs'
import type { SubscriptionSpec } from '../../src/index.ts'
import { createJobsMessaging, createMemoryRouting, type Level, type MessagingBackend } from '../../src/index.ts'
import { nextEvent } from '../ground.ts'
import { severable } from './severed.ts'

const message = (said: { level?: Level; topic?: string } = {}) => ({
  message: {
    id: newId(),
    exchange: 'orders',
    topic: 'a',
    body: '1',
    contentType: 'application/json',
    headers: {},
    level: 'normal' as const,
    publishedAt: 0,
    ...said,
  },
})

const spec = (said: Partial<SubscriptionSpec> = {}): SubscriptionSpec => ({
  name: 'billing',
  bindings: [{ exchange: 'orders', pattern: '#' }],
  levels: ['normal'],
  ttl: undefined,
  maxLength: undefined,
  maxCrashes: 3,
  ...said,
})

async function opened(store: JobsBackend, said: Partial<SubscriptionSpec> = {}): Promise<MessagingBackend> {
  const backend = createJobsMessaging({ store, routing: createMemoryRouting(), bus: createMemoryBus() })
  await backend.start()
  await backend.topology.declareExchange({ name: 'orders', type: 'topic' })
  await backend.topology.declareSubscription(spec(said))
  return backend
}

it('what waits for a slow store is bounded, and what is refused says so', async () => {
  const memory = createMemoryBackend()
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const jobs: JobsBackend['jobs'] = {
    ...memory.jobs,
    async add(all) {
      await gate
      return memory.jobs.add(all)
    },
  }
  const backend = await opened({ ...memory, jobs })
  const many = Array.from({ length: 20_000 }, () => message())
  const first = backend.publish.send([message()])
  // The first is on its way, and waits for nobody.
  await new Promise((resolve) => setImmediate(resolve))
  const waiting = backend.publish.send(many)
  await assert.rejects(backend.publish.send([message()]), { code: 'E_MESSAGE_BLOCKED' })
  open()
  assert.deepEqual(await first, ['confirmed'])
  assert.equal((await waiting).length, 20_000)
  assert.equal(await backend.inspect.waiting('billing'), 20_001)
  await backend.stop()
})

it('a message published again under its id is stored once while it waits', async () => {
  const backend = await opened(createMemoryBackend())
  const same = message()
  for (let time = 0; time < 3; time++) await backend.publish.send([same])
  await backend.publish.send([{ message: { ...same.message, id: 'any text' } }])
  await backend.publish.send([{ message: { ...same.message, id: 'any text' } }])
  assert.equal(await backend.inspect.waiting('billing'), 2)
  await backend.stop()
})

it('what waits in a level that is not kept apart any more is still given, and dead letters stay', async () => {
  const backend = await opened(createMemoryBackend(), { levels: ['critical', 'normal'] })
  await backend.publish.send([message({ level: 'critical', topic: 'urgent' }), message({ topic: 'plain' })])
  await backend.topology.declareSubscription(spec())
  const topics: string[] = []
  await new Promise<void>((resolve) => {
    void backend.consume.consume('billing', { prefetch: 10 }, (delivery) => {
      topics.push(delivery.message.topic)
      void delivery.settle({ type: 'dead', reason: 'permanent', note: undefined }).then(() => {
        if (topics.length === 2) resolve()
      })
    })
  })
  assert.deepEqual(topics.sort(), ['plain', 'urgent'])
  await backend.topology.declareSubscription(spec({ levels: ['high', 'low'] }))
  assert.equal(await backend.deadLetters.count('billing'), 2)
  await backend.stop()
})

it('a listener whose process died is not published to for ever', async () => {
  const clock = new FakeClock()
  const parts = { routing: createMemoryRouting({ clock }), bus: createMemoryBus({ clock }), clock }
  const [alive, dying] = [0, 1].map(() => createJobsMessaging({ ...parts, store: createMemoryBackend({ clock }) }))
  await alive!.start()
  await dying!.start()
  await alive!.topology.declareExchange({ name: 'orders', type: 'topic' })
  await parts.routing.putListener({ id: 'dead', bindings: [{ exchange: 'orders', pattern: '#' }] }, 60_000)
  assert.deepEqual(await alive!.publish.send([message()]), ['confirmed'])
  const stop = await alive!.consume.listen([{ exchange: 'orders', pattern: 'other' }], () => {})
  await clock.advance(90_000)
  assert.deepEqual(await alive!.publish.send([message()]), ['unroutable'])
  await stop()
  await alive!.stop()
  await dying!.stop()
})

it('a message that is buried as poison is told of', async () => {
  const clock = new FakeClock()
  const memory = createMemoryBackend({ clock })
  const routing = createMemoryRouting({ clock })
  const open = async (store: JobsBackend) => {
    const backend = createJobsMessaging({ store, routing, bus: createMemoryBus({ clock }), clock, lease: '10s' })
    await backend.start()
    return backend
  }
  const first = await open(memory)
  await first.topology.declareExchange({ name: 'orders', type: 'topic' })
  await first.topology.declareSubscription(spec({ maxCrashes: 0 }))
  const poison = message()
  await first.publish.send([poison])
  const { store, sever } = severable(memory)
  const dying = await open(store)
  await new Promise<void>((resolve) => void dying.consume.consume('billing', { prefetch: 1 }, () => resolve()))
  sever()
  const told = nextEvent(messageDead)
  await first.consume.consume('billing', { prefetch: 1 }, () => assert.fail('it is given to nobody'))
  await clock.advance(20_000)
  const { reason, messageId, subscription } = await told
  assert.deepEqual([reason, messageId, subscription], ['poison', poison.message.id, 'billing'])
  await first.stop()
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { messageConsumer, newId } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { Subscriber } from '../../src/consume/subscriber.ts'
import { resolveSubscriptionOptions } from '../../src/consume/subscription_options.ts'
import { createMemoryInbox, createMemoryMessaging } from '../../src/index.ts'
import { Collected, nextEvent } from '../ground.ts'

it('concurrency follows the lag between its bounds, and falls back in calm', async () => {
  const clock = new FakeClock()
  const backend = createMemoryMessaging({ clock })
  await backend.start()
  await backend.topology.declareExchange({ name: 'orders', type: 'topic' })
  const releases = new Collected<() => void>()
  const options = resolveSubscriptionOptions('billing', { concurrency: { min: 1, max: 3 } })
  const { attempts, waiting, timeout } = options
  const bindings = [{ exchange: 'orders', pattern: '#' }]
  const subscriber = new Subscriber({
    spec: { name: 'billing', bindings, levels: ['normal'], ttl: undefined, maxLength: undefined, maxCrashes: 3 },
    options,
    backend,
    clock,
    policy: () => undefined,
    attempts: {
      subscription: 'billing',
      clock,
      handler: () => new Promise<void>((resolve) => releases.put(resolve)),
      schemaOf: () => undefined,
      attempts,
      waiting,
      timeout,
      inbox: createMemoryInbox(),
      isPausedByBreaker: false,
    },
    utilisation: () => 0,
  })
  await subscriber.start()
  const base = { exchange: 'orders', topic: 'a', body: '1', contentType: 'application/json', headers: {} }
  const message = () => ({ ...base, id: newId(), level: 'normal' as const, publishedAt: clock.now() })
  await backend.publish.send(Array.from({ length: 10 }, () => ({ message: message() })))
  await releases.until(1)
  await clock.advance(500)
  releases.all[0]!()
  await releases.until(2)
  const scaled = nextEvent(messageConsumer, ({ change }) => change === 'scaled')
  await clock.advance(500)
  assert.equal((await scaled).concurrency, 2)
  await releases.until(3)
  await clock.advance(5_000)
  await releases.until(4)
  assert.equal(subscriber.status.concurrency, 3)
  for (let at = 1; at < 10; at++) (await releases.until(at + 1))[at]!()
  await clock.advance(30_000)
  assert.equal(subscriber.status.concurrency, 1)
  await subscriber.stop(clock.elapsed())
  await backend.stop()
})

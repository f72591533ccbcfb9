import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createMemoryBus, newId } from '@tailwater/core'
import { createMemoryBackend } from '@tailwater/jobs'
import { chaos } from '@tailwater/jobs/testing'
import { createJobsMessaging, createMemoryRouting, createMessaging } from '../src/index.ts'
import { Collected } from './ground.ts'

/** Messages of one run. */
const COUNT = 300

for (const seed of [1, 7, 42])
  it(`with calls and replies lost every message is handled, seed ${seed}`, { timeout: 60_000 }, async () => {
    const store = chaos(createMemoryBackend(), { seed, losses: 0.2 })
    const bus = createMemoryBus()
    const backend = createJobsMessaging({
      store,
      routing: createMemoryRouting(),
      bus,
      lease: '1s',
      pollInterval: '50ms',
    })
    const messaging = createMessaging({ backend })
    const orders = messaging.exchange('orders')
    const handled = new Set<string>()
    const all = new Collected<string>()
    let attempts = 0
    orders.subscribe(
      'billing',
      '#',
      async ({ id, body }) => {
        attempts++
        if ((body as number) % 10 === 0 && attempts % 2 === 0) throw new Error('flaky')
        if (handled.has(id)) return
        handled.add(id)
        all.put(id)
      },
      { concurrency: 20, attempts: 100, backoff: { type: 'fixed', delay: 5 } },
    )
    await messaging.start()
    const ids = Array.from({ length: COUNT }, () => newId())
    await Promise.all(
      ids.map(async (id, body) => {
        // Whether a call that failed was stored nobody can tell: it is made again under its id.
        for (;;) {
          try {
            return await orders.publish('order.placed', body, { id })
          } catch {
            await new Promise((resolve) => setImmediate(resolve))
          }
        }
      }),
    )
    await all.until(COUNT)
    assert.deepEqual([...handled].sort(), [...ids].sort())
    assert.equal((await messaging.deadLetters.list('billing')).letters.length, 0)
    await messaging.stop()
  })

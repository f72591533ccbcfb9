import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createMemoryBus, createMemoryLeases } from '@tailwater/core'
import { busContract, FakeClock, leaseContract } from '@tailwater/core/testing'

leaseContract('createMemoryLeases', {
  async open() {
    const clock = new FakeClock()
    return { leases: createMemoryLeases({ clock }), pass: (ms) => clock.advance(ms), close: async () => {} }
  },
})

busContract('createMemoryBus', {
  async open() {
    const near = createMemoryBus()
    const far = near.connect()
    return {
      nodes: [near, far],
      cut: async () => far.cut(),
      heal: async () => far.heal(),
      settle: async () => {},
      close: async () => {},
    }
  },
})

it('a subscription that ended does not hear what was published before and not delivered yet', async () => {
  const bus = createMemoryBus()
  const heard: unknown[] = []
  const gate = Promise.withResolvers<void>()
  const end = await bus.subscribe('prices', {
    async onMessage({ payload }) {
      heard.push(payload)
      await gate.promise
    },
    onGap() {},
  })
  await bus.publish('prices', 1)
  await bus.publish('prices', 2)
  await end()
  gate.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(heard, [1])
})

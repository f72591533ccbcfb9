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

import { createMemoryBus } from '@tailwater/core'
import { createMemoryBackend } from '@tailwater/jobs'
import { createJobsMessaging, createMemoryRouting, type MessagingBackend } from '../../src/index.ts'
import { messagingBackendContract } from '../../src/testing/index.ts'
import { severable } from './severed.ts'

messagingBackendContract('memory', {
  async ground() {
    const jobs = createMemoryBackend()
    const routing = createMemoryRouting()
    const bus = createMemoryBus()
    const cuts = new Map<MessagingBackend, () => void>()
    return {
      async open() {
        const { store, sever } = severable(jobs)
        const backend = createJobsMessaging({ store, routing, bus: bus.connect(), lease: '1s', pollInterval: '100ms' })
        cuts.set(backend, sever)
        await backend.start()
        return backend
      },
      crash: async (backend) => cuts.get(backend)!(),
      close: async () => undefined,
    }
  },
})

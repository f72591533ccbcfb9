import { FakeClock } from '@tailwater/core/testing'
import { createMemoryBackend } from '../../src/backends/memory/memory_backend.ts'
import { jobsBackendContract } from '../../src/testing/index.ts'

jobsBackendContract('the memory backend', {
  async open() {
    const clock = new FakeClock()
    const backend = createMemoryBackend({ clock })
    await backend.start()
    return { backend, advance: (ms) => clock.advance(ms), close: () => backend.stop() }
  },
})

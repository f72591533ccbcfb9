import assert from 'node:assert/strict'
import { it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createMemoryBackend } from '../../src/far/memory_backend.ts'
import { farBackendContract } from '../../src/testing/index.ts'

farBackendContract('createMemoryBackend', {
  async open() {
    const clock = new FakeClock()
    const backend = createMemoryBackend({ clock })
    await backend.start()
    return { backend, pass: (ms) => clock.advance(ms), close: () => backend.stop() }
  },
  except: {
    "a load under a lease does not land when the invalidation's tombstone was lost": 'loses nothing',
    'a tag that was lost has a number that no entry from before its last invalidation carries': 'loses nothing',
  },
})

it('the time of a store in memory does not step with the wall clock', async () => {
  const clock = new FakeClock()
  const backend = createMemoryBackend({ clock })
  const before = await backend.time()
  clock.step(-3_600_000)
  await clock.advance(1_000)
  assert.equal((await backend.time()) - before, 1_000)
})

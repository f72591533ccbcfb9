import { type Clock, createService, systemClock } from '@tailwater/core'
import type { FarBackend } from './far_backend.ts'
import { createMemoryEntries } from './memory_entries.ts'
import { createMemoryTags } from './memory_tags.ts'

/** How a store in memory is made. */
export interface MemoryBackendOptions {
  /** @default systemClock */
  clock?: Clock
}

/**
 * A far tier in this process: for tests, and for several caches of one process that are to share what they load.
 *
 * It has no bound, and keeps its content over a stop.
 *
 * @example
 * const far = createMemoryBackend({ clock })
 */
export function createMemoryBackend({ clock = systemClock }: MemoryBackendOptions = {}): FarBackend {
  const begin = clock.now() - clock.elapsed()
  // Wall time may step; a store's own must not.
  const now = () => begin + clock.elapsed()
  return {
    ...createService('memory', { start() {}, stop() {} }),
    name: 'memory',
    ...createMemoryEntries(now),
    tags: createMemoryTags(now),
    time: async () => now(),
    ping: async () => {},
  }
}

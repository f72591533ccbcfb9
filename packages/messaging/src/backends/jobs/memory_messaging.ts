import { type Clock, createMemoryBus, systemClock } from '@tailwater/core'
import { createMemoryBackend } from '@tailwater/jobs'
import type { MessagingBackend } from '../../backend.ts'
import { createMemoryRouting } from '../../routing/memory_routing.ts'
import { createJobsMessaging } from './jobs_messaging.ts'

/** Messages within this process, lost at its end: for tests, development, and what may be lost. */
export function createMemoryMessaging({ clock = systemClock }: { clock?: Clock } = {}): MessagingBackend {
  return createJobsMessaging({
    store: createMemoryBackend({ clock }),
    routing: createMemoryRouting({ clock }),
    bus: createMemoryBus({ clock }),
    clock,
  })
}

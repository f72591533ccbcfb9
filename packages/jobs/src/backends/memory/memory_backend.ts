import { type Clock, createService, systemClock } from '@tailwater/core'
import type { JobsBackend } from '../../backend.ts'
import { memoryEnqueue } from './memory_enqueue.ts'
import { memoryInspect } from './memory_inspect.ts'
import { memoryMaintain } from './memory_maintain.ts'
import { memorySchedules } from './memory_schedules.ts'
import { memoryWork } from './memory_work.ts'
import { MemoryStore } from './store.ts'

/**
 * Jobs in this process's memory: for tests, for development, and for work that may be lost. They end with the process.
 *
 * It is also the specification that can be run: what it does is what every backend does.
 *
 * @param options.clock decides what is due, and which worker is dead @default systemClock
 * @example
 * const jobs = createJobs({ backend: createMemoryBackend() })
 */
export function createMemoryBackend({ clock = systemClock }: { clock?: Clock } = {}): JobsBackend {
  const store = new MemoryStore(clock)
  return {
    ...createService('jobs-memory', { start() {}, stop() {} }),
    name: 'memory',
    jobs: memoryEnqueue(store),
    work: memoryWork(store),
    inspect: memoryInspect(store),
    maintain: memoryMaintain(store),
    schedules: memorySchedules(store),
  }
}

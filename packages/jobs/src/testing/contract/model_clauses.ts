import assert from 'node:assert/strict'
import { FakeClock } from '@tailwater/core/testing'
import { createMemoryBackend } from '../../backends/memory/memory_backend.ts'
import { type Clause, Subject } from './subject.ts'
import { Walk } from './walk.ts'

/** Steps of one walk. */
const STEPS = 150

/** Walks of fixed seeds, and one that is new each time. */
const seeds = [1, 2, 3, process.hrtime()[1]]

/**
 * The whole state machine against the memory backend: several workers enqueue, claim, end, crash, cancel, retry, edit and delete at random, on both, and after
 * each step all replies, and all jobs, must be the same.
 */
export function modelClauses(clause: Clause): void {
  for (const [index, seed] of seeds.entries())
    clause(`does what memory does, walk ${index + 1}`, async (subject) => {
      const clock = new FakeClock(await subject.now())
      const backend = createMemoryBackend({ clock })
      const reference = new Subject({ backend, advance: (ms) => clock.advance(ms), close: async () => {} })
      const walk = new Walk(seed, reference, subject)
      try {
        for (let step = 0; step < STEPS; step++) await walk.step()
      } catch (error) {
        assert.fail(`seed ${seed}, after\n${walk.told()}\n${error instanceof Error ? error.message : error}`)
      }
    })
}

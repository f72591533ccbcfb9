import assert from 'node:assert/strict'
import type { Service } from '../lifecycle.ts'

/** Callers that start and stop at the same time. */
const CALLERS = 10
/** Starts or stops of each caller. */
const CALLS = 50

/**
 * Calls `start` and `stop` from ten callers at once, in random order, and demands that every call
 * settles, that none fails, and that the service starts and stops once more at the end.
 *
 * @param seed printed on failure, so that a run can be repeated
 */
export async function stressLifecycle(service: Service, seed: number = process.hrtime()[1]): Promise<void> {
  const random = lcg(seed)
  const caller = async () => {
    for (let call = 0; call < CALLS; call++) await (random() < 0.5 ? service.start() : service.stop())
  }
  const outcomes = await Promise.allSettled(Array.from({ length: CALLERS }, caller))
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  assert.equal(failed, undefined, `${service.name} failed under stress, seed ${seed}: ${failed?.reason}`)
  await service.stop()
  await service.stop()
  await service.start()
  await service.start()
  await service.stop()
}

/** Park and Miller's minimal standard generator: the same numbers for the same seed. */
function lcg(seed: number): () => number {
  let state = (seed % 2147483646) + 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

import { toError } from '@tailwater/core'
import type { EnqueuePort, Stored } from '../backend/enqueue_port.ts'
import type { NewJob } from '../job.ts'

/** Batches on their way at once: with a second one the store is busy while the first one's reply travels. */
const MAX_IN_FLIGHT = 2

interface Waiting {
  job: NewJob
  resolve(stored: Stored): void
  reject(error: Error): void
}

/**
 * Puts the jobs that are enqueued one by one into batches: those of one tick, and those that came while two batches were on their way, go together.
 *
 * A batch is stored or fails as one, so that one call may fail for what another one asked; nothing but the store's own failure does that, because
 * jobs are checked before.
 */
export class Coalescer {
  readonly #port: EnqueuePort
  #waiting: Waiting[] = []
  #inFlight = 0
  #isPlanned = false

  constructor(port: EnqueuePort) {
    this.#port = port
  }

  add(job: NewJob): Promise<Stored> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject })
      if (this.#isPlanned || this.#inFlight === MAX_IN_FLIGHT) return
      this.#isPlanned = true
      // After the microtasks of this tick, which may enqueue as well.
      process.nextTick(() => this.#flush())
    })
  }

  #flush(): void {
    this.#isPlanned = false
    while (this.#waiting.length > 0 && this.#inFlight < MAX_IN_FLIGHT) {
      const batch = this.#waiting.splice(0, this.#port.maxBatch)
      this.#inFlight++
      void this.#send(batch).finally(() => {
        this.#inFlight--
        this.#flush()
      })
    }
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const stored = await this.#port.add(batch.map(({ job }) => job))
      for (const [index, { resolve }] of batch.entries()) resolve(stored[index]!)
    } catch (thrown) {
      const error = toError(thrown)
      for (const { reject } of batch) reject(error)
    }
  }
}

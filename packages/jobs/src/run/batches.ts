import type { Cancel, Clock } from '@tailwater/core'
import type { Handler } from '../kind.ts'
import type { Attempt } from './attempt.ts'

type BatchHandler = Handler & { type: 'batch' }

interface Gathering {
  attempts: Attempt[]
  handler: BatchHandler
  cancel: Cancel | undefined
}

/** Gathers jobs of one kind that were claimed together into batches. */
export class Batches {
  readonly #clock: Clock
  readonly #run: (attempts: readonly Attempt[]) => void
  readonly #gathering = new Map<string, Gathering>()

  constructor(clock: Clock, run: (attempts: readonly Attempt[]) => void) {
    this.#clock = clock
    this.#run = run
  }

  add(attempt: Attempt, handler: BatchHandler): void {
    const { kind } = attempt.claimed
    let gathering = this.#gathering.get(kind)
    if (!gathering) {
      gathering = { attempts: [], handler, cancel: undefined }
      this.#gathering.set(kind, gathering)
      if (handler.wait > 0) gathering.cancel = this.#clock.after(handler.wait, () => this.#go(kind))
    }
    gathering.attempts.push(attempt)
    if (gathering.attempts.length === handler.size) this.#go(kind)
  }

  /** Runs what does not wait for more. */
  flush(): void {
    for (const [kind, { handler }] of this.#gathering) if (handler.wait === 0) this.#go(kind)
  }

  #go(kind: string): void {
    const gathering = this.#gathering.get(kind)
    if (!gathering) return
    this.#gathering.delete(kind)
    gathering.cancel?.()
    this.#run(gathering.attempts)
  }
}

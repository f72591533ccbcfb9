import type { Cancel, Duration } from '@tailwater/core'
import type { ClaimedJob } from '../job.ts'
import type { ResolvedKind } from '../kind.ts'
import type { ChildResult, RunningJob } from './running_job.ts'
import { type Snooze, snooze } from './snooze.ts'

/** What an attempt asks of whoever runs it. */
export interface AttemptHost {
  progress(id: string, value: unknown): void
  log(id: string, line: string): void
  children(id: string): Promise<ChildResult<never>[]>
}

/**
 * One attempt at one job: what its handler is given, and what the runner knows of it.
 *
 * There are tens of thousands a second, so that all that a handler may not ask for is made only when it does.
 */
export class Attempt implements RunningJob<never> {
  readonly claimed: ClaimedJob
  readonly definition: ResolvedKind
  payload: never = undefined as never
  /** Reading of the clock at its begin, in milliseconds. */
  readonly startedAt: number
  /** Why it is to stop. */
  abortReason: Error | undefined
  /**
   * `waiting` for the handler of an earlier attempt of the same job to stop; `running`; `lost` to another worker while its handler goes on, so that it keeps its
   * place; `over`: its end is told, or nobody wants to know it.
   */
  state: 'waiting' | 'running' | 'lost' | 'over' = 'waiting'
  /** The attempt that waits for the handler of this one. */
  successor: Attempt | undefined
  cancelTimer: Cancel | undefined
  readonly #host: AttemptHost
  #controller: AbortController | undefined

  constructor(claimed: ClaimedJob, definition: ResolvedKind, host: AttemptHost, startedAt: number) {
    this.claimed = claimed
    this.definition = definition
    this.#host = host
    this.startedAt = startedAt
  }

  get jobId(): string {
    return this.claimed.id
  }

  get kind(): string {
    return this.claimed.kind
  }

  get queue(): string {
    return this.claimed.queue
  }

  get key(): string | undefined {
    return this.claimed.key
  }

  get attempt(): number {
    return this.claimed.attempt
  }

  get maxAttempts(): number {
    return this.claimed.maxAttempts
  }

  get requestId(): string | undefined {
    return this.claimed.requestId
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.abortReason) this.#controller.abort(this.abortReason)
    }
    return this.#controller.signal
  }

  /** Tells the handler to stop; the first reason counts. */
  abort(reason: Error): void {
    if (this.abortReason) return
    this.abortReason = reason
    this.#controller?.abort(reason)
  }

  // Functions that know their attempt, made when asked for: handlers take them out of what they are given.
  get progress(): (value: unknown) => void {
    return (value) => this.#host.progress(this.claimed.id, value)
  }

  get log(): (line: string) => void {
    return (line) => this.#host.log(this.claimed.id, line)
  }

  get children(): <Result>() => Promise<ChildResult<Result>[]> {
    return async () => (this.claimed.hasChildren ? this.#host.children(this.claimed.id) : [])
  }

  snooze(delay: Duration): Snooze {
    return snooze(delay)
  }
}

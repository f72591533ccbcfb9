import type { Cancel, Clock } from '@tailwater/core'
import type { WorkPort } from '../backend/work_port.ts'

/** Milliseconds for which progress and log lines are gathered. */
const GATHER_MS = 250
/** Lines of one job that are held; what is logged faster than it can be told falls out, oldest first. */
const MAX_LINES = 1_000

interface Report {
  id: string
  progress?: string
  logs?: string[]
}

/** Gathers what handlers tell of their jobs, so that a handler that reports in a loop costs a call a quarter of a second. */
export class Reports {
  readonly #port: WorkPort
  readonly #worker: string
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #waiting = new Map<string, Report>()
  #cancel: Cancel | undefined
  #sending: Promise<void> | undefined

  constructor(port: WorkPort, worker: string, clock: Clock, onError: (error: unknown) => void) {
    this.#port = port
    this.#worker = worker
    this.#clock = clock
    this.#onError = onError
  }

  /** Whether all that was reported is with the store. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#sending === undefined
  }

  progress(id: string, value: unknown): void {
    this.#of(id).progress = JSON.stringify(value) ?? 'null'
  }

  log(id: string, line: string): void {
    const report = this.#of(id)
    report.logs ??= []
    report.logs.push(line)
    if (report.logs.length > MAX_LINES) report.logs.shift()
  }

  /**
   * Tells what has been gathered, after what is being told: of two progresses at once the earlier could come last, and one that comes after its job's end is dropped.
   *
   * What cannot be told is lost: it is for looking at, and must not keep a job from ending.
   */
  send(): Promise<void> {
    this.#cancel?.()
    this.#cancel = undefined
    const sending = (this.#sending ?? Promise.resolve()).then(() => this.#tell())
    this.#sending = sending
    return sending.then(() => {
      if (this.#sending === sending) this.#sending = undefined
    })
  }

  async #tell(): Promise<void> {
    const reports = [...this.#waiting.values()]
    this.#waiting.clear()
    if (reports.length > 0) await this.#port.report(this.#worker, reports).catch(this.#onError)
  }

  #of(id: string): Report {
    let report = this.#waiting.get(id)
    if (!report) {
      report = { id }
      this.#waiting.set(id, report)
      this.#cancel ??= this.#clock.after(GATHER_MS, () => void this.send())
    }
    return report
  }
}

import { type Cancel, type Clock, show } from '@tailwater/core'
import type { WorkPort } from '../backend/work_port.ts'
import { jobsError } from '../errors.ts'
import { storable } from '../label.ts'

/** Milliseconds for which progress and log lines are gathered. */
const GATHER_MS = 250
/** Lines of one job that are held; what is logged faster than it can be told falls out, oldest first. */
const MAX_LINES = 1_000

/** Characters of one line, and of a progress as JSON: both are for looking at. */
const MAX_LINE = 10_000
const MAX_PROGRESS = 65_536

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

  /** What is no JSON, or too much, is left out: it must not end the handler, nor in a thread the process. */
  progress(id: string, value: unknown): void {
    try {
      const text = JSON.stringify(value) ?? 'null'
      if (text.length > MAX_PROGRESS)
        throw new RangeError(`it has ${text.length} characters, the most are ${MAX_PROGRESS}`)
      this.#of(id).progress = text
    } catch (cause) {
      this.#onError(jobsError('E_JOB_PAYLOAD', `the progress of job ${id} is left out`, { jobId: id, cause }))
    }
  }

  log(id: string, line: string): void {
    const report = this.#of(id)
    report.logs ??= []
    report.logs.push(typeof line === 'string' ? storable(line.slice(0, MAX_LINE)) : show(line))
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

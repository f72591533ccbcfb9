import { backgroundError, type Cancel, type Clock, toError } from '@tailwater/core'

/** Milliseconds before a member that could not start, while others ran already, is started again. */
const RETRY = 5_000

/** What runs while messaging does. */
export interface Member {
  start(): Promise<void> | void
  stop(deadline?: number): Promise<void> | void
}

/** The subscriptions, responders and listeners of this process; those that come while it runs are started at once. */
export class Members {
  readonly #clock: Clock
  readonly #members = new Set<Member>()
  readonly #retries = new Set<Cancel>()
  #isRunning = false
  /** What was added while running, and is still starting. */
  #starting: Promise<unknown> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Resolves when it runs, or at once if nothing does yet. */
  add(member: Member): Promise<void> {
    this.#members.add(member)
    if (!this.#isRunning) return Promise.resolve()
    const started = Promise.resolve().then(() => member.start())
    const all = Promise.allSettled([this.#starting, started])
    this.#starting = all
    void all.then(() => {
      if (this.#starting === all) this.#starting = undefined
    })
    return started
  }

  /** Starts one that nobody waits for: what keeps it from starting is told, and tried again until it does. */
  addUnawaited(member: Member): void {
    this.add(member).catch((error: unknown) => {
      if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'messaging', error: toError(error) })
      this.#retryLater(member)
    })
  }

  #retryLater(member: Member): void {
    if (!this.#isRunning) return
    const cancel = this.#clock.after(RETRY, () => {
      this.#retries.delete(cancel)
      if (this.#isRunning && this.#members.has(member)) this.addUnawaited(member)
    })
    this.#retries.add(cancel)
  }

  /** Resolves when what was added has started, or failed to; undefined when nothing is on its way. */
  get settled(): Promise<unknown> | undefined {
    return this.#starting
  }

  remove(member: Member): void {
    this.#members.delete(member)
  }

  async start(): Promise<void> {
    this.#isRunning = true
    try {
      for (const member of this.#members) await member.start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Stops all together, because each may take until the deadline. */
  async stop(deadline?: number): Promise<void> {
    this.#isRunning = false
    for (const cancel of this.#retries) cancel()
    this.#retries.clear()
    await this.#starting
    const outcomes = await Promise.allSettled([...this.#members].map(async (member) => member.stop(deadline)))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
  }
}

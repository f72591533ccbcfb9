import { backgroundError, toError } from '@tailwater/core'

/** What runs while messaging does. */
export interface Member {
  start(): Promise<void> | void
  stop(deadline?: number): Promise<void> | void
}

/** The subscriptions, responders and listeners of this process; those that come while it runs are started at once. */
export class Members {
  readonly #members = new Set<Member>()
  #isRunning = false
  /** What was added while running, and is still starting. */
  #starting: Promise<unknown> | undefined

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

  /** Starts one that nobody waits for. */
  addUnawaited(member: Member): void {
    this.add(member).catch((error: unknown) => {
      if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'messaging', error: toError(error) })
    })
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
    await this.#starting
    const outcomes = await Promise.allSettled([...this.#members].map(async (member) => member.stop(deadline)))
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed) throw failed.reason
  }
}

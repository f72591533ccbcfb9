import { type Clock, toError } from '@tailwater/core'
import { Alarm } from './alarm.ts'
import type { Connection } from './connection.ts'

/** Between attempts to reach a server that is away: milliseconds, doubled from the first to the last. */
const FIRST_PROBE = 100
const LAST_PROBE = 1_000

/** What is told of attempts in the background. */
export interface OpenerListener {
  onOpened(connection: Connection): void
  /** @param isFirst of an outage */
  onFailed(error: Error, isFirst: boolean): void
}

/**
 * Opens connections in the background, and knows whether that works: after a failure it probes, ever more slowly, until
 * the server is back.
 */
export class Opener {
  readonly #open: () => Promise<Connection>
  readonly #listener: OpenerListener
  readonly #probe: Alarm
  #delay = FIRST_PROBE
  #opening = 0
  #outage: Error | undefined

  constructor(open: () => Promise<Connection>, clock: Clock, listener: OpenerListener) {
    this.#open = open
    this.#listener = listener
    this.#probe = new Alarm(clock, () => {
      if (this.#opening === 0) this.open()
    })
  }

  /** Attempts under way. */
  get opening(): number {
    return this.#opening
  }

  /** Why the last attempt failed, if it did. */
  get outage(): Error | undefined {
    return this.#outage
  }

  get isProbing(): boolean {
    return this.#probe.isSet
  }

  /** The first of a start: its failure is the caller's. */
  async openFirst(): Promise<Connection> {
    const connection = await this.#open()
    this.#isReached()
    return connection
  }

  open(): void {
    this.#opening++
    this.#open().then(
      (connection) => {
        this.#opening--
        this.#isReached()
        this.#listener.onOpened(connection)
      },
      (error: unknown) => {
        this.#opening--
        const isFirst = this.#outage === undefined
        this.#outage = toError(error)
        this.#probe.set(this.#delay)
        this.#delay = Math.min(this.#delay * 2, LAST_PROBE)
        this.#listener.onFailed(this.#outage, isFirst)
      },
    )
  }

  /** Ends probing; attempts under way still report. */
  rest(): void {
    this.#probe.clear()
  }

  #isReached(): void {
    this.#outage = undefined
    this.#delay = FIRST_PROBE
    this.#probe.clear()
  }
}

import type { StatementRun } from './statement_run.ts'
import type { WireConnection, WireHandler } from './wire.ts'

/*
 * Reads that travel together: one packet there, one transaction on the server, one packet back. `ReadLane` decides which and when.
 *
 * What must stay true:
 * - Only reads go together, because the failure of one undoes what came before it and skips what comes after. Whoever shared with it is sent
 *   again, alone; nothing that was read in a failed transaction is handed out.
 * - Only statements whose columns the connection knows already: a batch asks for no descriptions.
 *
 * Source: PostgreSQL documentation, "Extended Query" and "Pipelining" in the chapter on the protocol.
 */

/** What a batch needs of its connection. */
export interface BatchHost {
  isLostBy(error: Error): boolean
  /** It has ended, its members being settled or on their way again. */
  batchEnded(batch: StatementBatch, error: Error | undefined): void
  /** Asks the server to stop it. */
  cancel(batch: StatementBatch): void
}

/** Several reads as one query of the driver, which hears of their answers one after the other. */
export class StatementBatch implements WireHandler {
  readonly name = undefined
  readonly text = 'several reads'
  sent = false
  /** Milliseconds by the pool's clock. */
  startedAt = 0
  /** As of its members, which all have the limits of the pool. */
  readonly limit: number
  readonly timeout: number
  readonly #members: readonly StatementRun[]
  readonly #host: BatchHost
  /** Those that were sent, in order. */
  #sent: StatementRun[] = []
  /** Whose answer is being read. */
  #at = 0

  constructor(members: readonly [StatementRun, ...StatementRun[]], host: BatchHost) {
    this.#members = members
    this.#host = host
    this.limit = members[0].limit
    this.timeout = members[0].timeout
  }

  get size(): number {
    return this.#sent.length
  }

  submit(wire: WireConnection): Error | null {
    wire.stream.cork?.()
    this.#sent = this.#members.filter((member) => member.sendAmongOthers(wire))
    if (this.#sent.length > 0) wire.sync()
    wire.stream.uncork?.()
    if (this.#sent.length === 0) return new Error('nobody waits for the answers any more')
    this.sent = true
    this.startedAt = this.#sent[0]!.startedAt
    return null
  }

  handleDataRow(message: { fields: (string | null)[] }): void {
    this.#sent[this.#at]!.handleDataRow(message)
  }

  handleCommandComplete(message: { text: string }): void {
    this.#sent[this.#at++]!.handleCommandComplete(message)
  }

  handleReadyForQuery(): void {
    for (const member of this.#sent) member.handleReadyForQuery()
    this.#host.batchEnded(this, undefined)
  }

  handleError(error: Error): void {
    const failed = this.#sent[this.#at]
    const isLost = this.#host.isLostBy(error)
    for (const member of this.#sent)
      if (isLost || member === failed) member.handleError(error)
      else member.repeatAlone()
    this.#host.batchEnded(this, error)
  }

  /** Settles all members with `reason`; the server is asked to stop. */
  abandon(reason: Error): void {
    for (const member of this.#sent) member.abandon(reason)
    this.#host.cancel(this)
  }

  // Their statements have been described before, and gave rows: none of these is answered.
  handleRowDescription(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
  handleCopyInResponse(): void {}
  handleCopyData(): void {}
}

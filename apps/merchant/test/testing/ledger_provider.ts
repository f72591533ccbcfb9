import { EventEmitter, once } from 'node:events'
import type { Authorisation, AuthorisationRequest, PaymentProvider } from '../../src/payments/payment_provider.ts'
import { DECLINED_TOKENS } from '../../src/payments/simulated_provider.ts'

/** A payment as the provider sees it. */
export interface LedgerEntry {
  amount: number
  state: 'authorised' | 'captured' | 'released'
  refunded: number
}

/** A provider that keeps the promises of the port and shows its books. */
export interface LedgerProvider extends PaymentProvider {
  readonly entries: Map<string, LedgerEntry>
  /** Called after each authorisation and before its answer is heard: throw to lose the answer, or wait. */
  onAuthorised: (reference: string) => void | Promise<void>
  /** Resolves once `holds` is true of the books. */
  until(holds: (entries: LedgerProvider['entries']) => boolean): Promise<void>
}

/** Makes an empty book. */
export function createLedgerProvider(): LedgerProvider {
  const changes = new EventEmitter()
  const refunds = new Set<string>()
  const entries = new Map<string, LedgerEntry>()
  const ledger: LedgerProvider = {
    name: 'ledger',
    entries,
    onAuthorised: () => {},
    async until(holds) {
      while (!holds(entries)) await once(changes, 'change')
    },
    async authorise({ reference, amount, token }: AuthorisationRequest): Promise<Authorisation> {
      const reason = DECLINED_TOKENS[token]
      if (reason) return { status: 'declined', reason }
      if (!entries.has(reference)) entries.set(reference, { amount, state: 'authorised', refunded: 0 })
      await ledger.onAuthorised(reference)
      return { status: 'authorised', amount: entries.get(reference)!.amount }
    },
    async capture(reference) {
      const entry = entries.get(reference)
      if (entry?.state === 'authorised') entry.state = 'captured'
      changes.emit('change')
      return entry?.state === 'captured'
    },
    async release(reference) {
      const entry = entries.get(reference)
      if (entry) entry.state = 'released'
      changes.emit('change')
    },
    async refund({ reference, of, amount }) {
      if (!refunds.has(reference)) entries.get(of)!.refunded += amount
      refunds.add(reference)
      changes.emit('change')
    },
  }
  return ledger
}

import { type Clock, sleep } from '@tailwater/core'
import type { Authorisation, AuthorisationRequest, PaymentProvider } from './payment_provider.ts'

/** Tokens that are declined, and why; every other token is accepted. */
export const DECLINED_TOKENS: Readonly<Record<string, string>> = {
  tok_declined: 'The card was declined.',
  tok_insufficient_funds: 'The card has insufficient funds.',
  tok_expired: 'The card has expired.',
}

/** Above this amount every card is declined. */
export const CARD_LIMIT = 100_000

/** How the simulation behaves. */
export interface SimulatedProviderOptions {
  clock: Clock
  /** Milliseconds that each answer takes. @default 0 */
  latency?: number
}

/**
 * A provider that moves no money.
 *
 * It decides by the request alone (token and amount), so that it keeps the promise of one answer per
 * reference without remembering any, across restarts and in several processes.
 */
export function createSimulatedProvider({ clock, latency = 0 }: SimulatedProviderOptions): PaymentProvider {
  const answer = (signal?: AbortSignal) => (latency > 0 ? sleep(clock, latency, signal) : Promise.resolve())
  return {
    name: 'simulated',
    async authorise(request, { signal } = {}) {
      await answer(signal)
      return decide(request)
    },
    async capture(_reference, { signal } = {}) {
      await answer(signal)
      return true
    },
    async release(_reference, { signal } = {}) {
      await answer(signal)
    },
    async refund(_request, { signal } = {}) {
      await answer(signal)
    },
  }
}

function decide({ token, amount }: AuthorisationRequest): Authorisation {
  const reason = DECLINED_TOKENS[token]
  if (reason) return { status: 'declined', reason }
  if (amount > CARD_LIMIT) return { status: 'declined', reason: `The card's limit is ${CARD_LIMIT}.` }
  return { status: 'authorised', amount }
}

import { isSigned } from '../signature.ts'
import type { WebhookCall } from './marketplace_connector.ts'
import { MarketplaceError } from './marketplace_error.ts'

/** What a marketplace's webhook carries, if it was the marketplace who called. @throws E_MARKETPLACE_WEBHOOK */
export function readSigned(call: WebhookCall, secret: string, now: number): Readonly<Record<string, unknown>> {
  const { path, body, timestamp, signature } = call
  if (!isSigned(secret, { at: timestamp, method: 'POST', path, body }, signature, now))
    throw new MarketplaceError('E_MARKETPLACE_WEBHOOK', 'the signature does not fit', { status: 401 })
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed === 'object' && parsed !== null) return parsed as Readonly<Record<string, unknown>>
  } catch (cause) {
    throw new MarketplaceError('E_MARKETPLACE_WEBHOOK', 'the body is no JSON', { status: 400, cause })
  }
  throw new MarketplaceError('E_MARKETPLACE_WEBHOOK', 'the body is no object', { status: 400 })
}

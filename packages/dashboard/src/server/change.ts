import { adminChange } from '@tailwater/core'
import type { Exchange } from '@tailwater/http'
import { authenticate, guard, mayChange, notStored, principalOf } from './guard.ts'
import type { Desk } from './routes/desk.ts'

/** The steps around what every account may read. */
export function reading({ reads, authenticator }: Desk) {
  return [notStored, authenticate(authenticator), ...reads, guard()]
}

/** The steps around what only some may change. */
export function changing({ changes, authenticator }: Desk) {
  return [notStored, authenticate(authenticator), ...changes, guard(), mayChange]
}

/** Tells the world that somebody has changed something. */
export function tellChange(
  exchange: Exchange,
  action: string,
  target: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  if (!adminChange.hasSubscribers) return
  const { email: actor, by } = principalOf(exchange)!
  adminChange.publish({ requestId: exchange.context.requestId, actor, by, action, target, fields })
}

import type { Reply } from '../exchange.ts'
import { faultReply } from '../fault.ts'
import { unmatched } from '../router.ts'
import type { LiveExchange } from './live_exchange.ts'

/** The reply to a request that no operation takes: OPTIONS is told the methods, everything else a problem. */
export function unmatchedReply(exchange: LiveExchange, allowed: readonly string[]): Reply {
  if (exchange.method === 'OPTIONS' && allowed.length > 0)
    return { status: 204, headers: { allow: allowed.join(', ') }, body: undefined }
  return faultReply(unmatched(exchange.method, exchange.path, allowed), exchange)
}

import type { Clock } from '@tailwater/core'
import { byAddress, type Middleware, type Route, rateLimit } from '@tailwater/http'
import { callerOf } from '../accounts/caller.ts'

/**
 * Puts a limit behind each route's own steps, where the caller is known: one budget for each merchant's key, each administrator, and
 * each address of strangers.
 *
 * @param perSecond requests a second, half of them at once; 0 for no limit
 */
export function limitRoutes(routes: readonly Route[], perSecond: number, clock: Clock): Route[] {
  if (perSecond === 0) return [...routes]
  const limit: Middleware = rateLimit({
    name: 'api',
    limit: perSecond,
    per: '1s',
    burst: Math.max(1, Math.floor(perSecond / 2)),
    clock,
    key(exchange) {
      const caller = callerOf(exchange)
      if (!caller) return byAddress(exchange)
      return caller.kind === 'admin' ? `u:${caller.id}` : `k:${caller.keyId}`
    },
  })
  return routes.map((route) => ({ ...route, use: [...(route.use ?? []), limit] }))
}

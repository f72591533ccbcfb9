import type { Accounts } from '@tailwater/dashboard'
import {
  bearerToken,
  compression,
  conditional,
  createDrain,
  createHealth,
  type Drain,
  type Health,
  type HostOptions,
  healthRoutes,
  type Middleware,
  overload,
  type Route,
  requestLimits,
  securityHeaders,
} from '@tailwater/http'
import type { ResolvedConfig } from '../config.ts'
import { probeBroker } from './broker_probe.ts'
import type { Ground } from './ground.ts'

/** What the platform puts around and beside an application's own routes. */
export interface Surface {
  drain: Drain
  health: Health
  host: HostOptions
  /** Around every route, the application's own included. */
  middleware: readonly Middleware[]
  /** Health, for machines. */
  routes: readonly Route[]
  /** Ends what watches the process. */
  close(): void
}

/** Builds the surface: a drain, limits, overload protection, security headers, compression, conditional requests and health. */
export function createSurface(
  config: ResolvedConfig,
  { database, embedded, redis }: Ground,
  accounts: Accounts,
): Surface {
  const { clock } = config
  const drain = createDrain({ clock })
  const protection = overload({ clock })
  const health = createHealth({
    clock,
    drain,
    ready: false,
    checks: [
      { name: 'database', check: async (signal) => void (await database.query('SELECT 1', [], { signal })) },
      ...(embedded ? [{ name: 'embedded-postgres', check: () => void embedded.server, critical: false }] : []),
      ...(redis ? [{ name: 'redis', check: () => redis.health(), critical: false }] : []),
      ...(config.amqpUrl
        ? [{ name: 'broker', check: () => probeBroker(config.amqpUrl!, clock), critical: false }]
        : []),
    ],
    authorize: async ({ headers }) => {
      const token = bearerToken(headers)
      return token !== undefined && (await accounts.verifyToken(token)) !== undefined
    },
  })
  return {
    drain,
    health,
    host: { trustedProxies: config.trustedProxies, closing: drain.closing, clock },
    middleware: [drain.middleware, securityHeaders(), compression(), conditional(), requestLimits(), protection],
    close: () => protection.close(),
    routes: healthRoutes(health),
  }
}

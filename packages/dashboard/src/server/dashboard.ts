import { backgroundError, type Cancel, createService, type Service, toError } from '@tailwater/core'
import { type RateLimitPresetOptions, type Route, rateLimits } from '@tailwater/http'
import { principalOf } from './guard.ts'
import { type DashboardOptions, type ResolvedDashboardOptions, resolveDashboardOptions } from './options.ts'
import { pageRoutes } from './page/page_routes.ts'
import { createAuthenticator } from './principal.ts'
import { accountRoutes, meRoute } from './routes/auth.ts'
import { cacheRoutes } from './routes/cache/cache_routes.ts'
import { createWarming } from './routes/cache/warming.ts'
import type { Desk } from './routes/desk.ts'
import { jobsRoutes } from './routes/jobs/jobs_routes.ts'
import { messagingRoutes } from './routes/messaging/messaging_routes.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { describedBy } from './routes/reference.ts'
import { settingsRoutes } from './routes/settings.ts'
import { statusRoute } from './routes/status.ts'
import { type OpenStreams, streamRoute } from './routes/stream.ts'

/** The admin API and the page, to be mounted; as a service, what they leave open and lying about. */
export interface Dashboard extends Service {
  /** With full paths: mount them without a base path. */
  readonly routes: readonly Route[]
}

/** How often the rows of expired sessions and tokens are deleted, in milliseconds: an hour. */
const SWEEP_MS = 3_600_000

/**
 * Builds the dashboard: closed to strangers, whoever mounts it wherever.
 *
 * @throws E_DASHBOARD_OPEN outside development without accounts or `authorize`; E_OPTIONS
 * @example
 * const dashboard = createDashboard({ accounts, telemetry, database })
 * await app.register(fastifyRoutes(dashboard.routes))
 * await dashboard.start()
 */
export function createDashboard(given: DashboardOptions): Dashboard {
  const options = resolveDashboardOptions(given)
  const desk = deskOf(options)
  const streams: OpenStreams = new Set()
  const endStreams = () => {
    for (const stream of [...streams]) stream.end('closed')
  }
  const warming = createWarming(options.clock)
  const close = () => {
    endStreams()
    warming.end()
  }
  options.closing?.addEventListener('abort', close, { once: true })
  let cancelSweep: Cancel = () => {}
  const service = createService('dashboard', {
    start() {
      cancelSweep = sweepHourly(options)
    },
    stop() {
      cancelSweep()
      close()
    },
  })
  const api = [
    meRoute(desk),
    ...(options.accounts ? accountRoutes(desk, options.accounts) : []),
    ...metricsRoutes(desk),
    streamRoute(desk, streams),
    statusRoute(desk),
    ...(options.cache ? cacheRoutes(desk, options.cache, warming) : []),
    ...(options.jobs ? jobsRoutes(desk, options.jobs) : []),
    ...(options.settings ? settingsRoutes(desk, options.settings) : []),
    ...(options.messaging ? messagingRoutes(desk, options.messaging) : []),
  ]
  return {
    ...service,
    routes: [
      ...api,
      ...(options.describe ? describedBy(desk, api) : []),
      ...pageRoutes(options.mount, options.pageFolder),
    ],
  }
}

function deskOf(options: ResolvedDashboardOptions): Desk {
  const { mount, accounts, authorize, clock, rateLimitStore } = options
  const limits: RateLimitPresetOptions = {
    clock,
    ...(rateLimitStore ? { store: rateLimitStore } : {}),
    session: (exchange) => principalOf(exchange)?.key,
  }
  return {
    mount,
    options,
    accounts,
    authenticator: createAuthenticator(accounts, authorize),
    reads: [rateLimits.adminReads(limits)],
    changes: [rateLimits.queueOperations(limits)],
    attempts: [rateLimits.login(limits)],
  }
}

function sweepHourly({ accounts, clock }: ResolvedDashboardOptions): Cancel {
  if (!accounts) return () => {}
  let cancel: Cancel = () => {}
  const schedule = () => {
    cancel = clock.after(SWEEP_MS, () => {
      schedule()
      accounts.removeExpired().catch((error: unknown) => {
        if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'dashboard', error: toError(error) })
      })
    })
  }
  schedule()
  return () => cancel()
}

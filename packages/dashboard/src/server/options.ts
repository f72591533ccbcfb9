import { fileURLToPath } from 'node:url'
import type { Cache } from '@tailwater/cache'
import {
  boolean,
  type Clock,
  optional,
  optionsError,
  resolveOptions,
  systemClock,
  TailwaterError,
  text,
  value,
} from '@tailwater/core'
import type { RateLimitStore } from '@tailwater/http'
import type { Jobs } from '@tailwater/jobs'
import type { Messaging } from '@tailwater/messaging'
import type { Database, Settings } from '@tailwater/postgres'
import type { Telemetry } from '@tailwater/telemetry'
import type { Accounts } from './accounts/accounts.ts'
import type { Authorize } from './principal.ts'

/** Options of `createDashboard`. */
export interface DashboardOptions {
  telemetry: Telemetry
  /** Who may look. Needed outside development, unless there is `authorize`. */
  accounts?: Accounts
  /** Lets in whoever your application knows; asked when `accounts` knows nobody. */
  authorize?: Authorize
  /** Shown in the status. */
  database?: Database
  /** Looked at and invalidated; without it there are no routes for it. */
  cache?: Cache
  /** Queues, jobs and schedules; without them there are no routes for them. */
  jobs?: Jobs
  /** What can be changed while the processes run; without it there are no routes for it. */
  settings?: Settings
  /** Exchanges, subscriptions and dead letters; without it there are no routes for them. */
  messaging?: Messaging
  /** True lets everybody in when there are neither accounts nor `authorize`. @default false */
  development?: boolean
  /** Where the dashboard stands. @default '/tailwater' */
  mount?: string
  /** Serves the admin API's own OpenAPI document and reference; false where the application describes these routes among its own. @default true */
  describe?: boolean
  /** Shown in the status. @default 'unknown' */
  version?: string
  /** Aborts when the server begins to drain: open streams end, so that they hold nothing up. */
  closing?: AbortSignal
  /** Counts log-ins and reads; one that processes share makes the limits hold for all of them together. @default in memory */
  rateLimitStore?: RateLimitStore
  /** Folder of the built page. @default the one in this package */
  pageFolder?: string
  /** @default the machine's clock */
  clock?: Clock
}

const isObject = (given: unknown) => typeof given === 'object' && given !== null

/**
 * Fills in defaults and checks the options.
 *
 * @throws E_OPTIONS, E_DASHBOARD_OPEN
 */
export function resolveDashboardOptions(options: DashboardOptions) {
  const resolved = resolveOptions('createDashboard', options, {
    telemetry: value<Telemetry>('a Telemetry', isObject),
    accounts: optional(value<Accounts>('the result of createAccounts', isObject)),
    authorize: optional(value<Authorize>('a function', (given) => typeof given === 'function')),
    database: optional(value<Database>('a Database', isObject)),
    cache: optional(value<Cache>('a Cache', isObject)),
    jobs: optional(value<Jobs>('the result of createJobs', isObject)),
    settings: optional(value<Settings>('the result of createSettings', isObject)),
    messaging: optional(value<Messaging>('the result of createMessaging', isObject)),
    development: boolean({ default: false }),
    mount: text({ default: '/tailwater' }),
    describe: boolean({ default: true }),
    version: text({ default: 'unknown' }),
    closing: optional(value<AbortSignal>('an AbortSignal', (given) => given instanceof AbortSignal)),
    rateLimitStore: optional(value<RateLimitStore>('a store with a take method', isObject)),
    pageFolder: text({ default: fileURLToPath(new URL('../../dist-web/', import.meta.url)) }),
    clock: value<Clock>('a Clock', isObject, { default: systemClock }),
  })
  if (!/^(\/[\w.~-]+)+$/.test(resolved.mount))
    throw optionsError(
      'createDashboard.mount',
      "a path such as '/tailwater', without a slash at its end",
      resolved.mount,
    )
  if (!resolved.development && !resolved.accounts && !resolved.authorize)
    throw new TailwaterError(
      'E_DASHBOARD_OPEN',
      'the dashboard would be open to everybody: give createDashboard accounts or authorize, or development: true',
    )
  return resolved
}

/** Options with every default filled in. */
export type ResolvedDashboardOptions = ReturnType<typeof resolveDashboardOptions>

import type { Server } from 'node:http'
import { join } from 'node:path'
import type { Cache } from '@tailwater/cache'
import type { Clock, FileStore, Keyring, LeaseStore, Logger, Mailer } from '@tailwater/core'
import { startAll, stopAll } from '@tailwater/core'
import {
  type Accounts,
  createAccounts,
  createDashboard,
  type Dashboard,
  type FirstAdministrator,
} from '@tailwater/dashboard'
import type { Jobs } from '@tailwater/jobs'
import type { Messaging } from '@tailwater/messaging'
import type { Database, Migrator, Outbox, PostgresBus } from '@tailwater/postgres'
import type { Redis } from '@tailwater/redis'
import { createTelemetry, type Telemetry } from '@tailwater/telemetry'
import { type ResolvedConfig, resolveConfig, type TailwaterConfig } from './config.ts'
import { createDiskFileStore } from './files/disk_file_store.ts'
import { createLogger } from './log/logger.ts'
import { openMailer } from './mail/open_mailer.ts'
import { createMounts, type Mounts } from './mounts/mounts.ts'
import { farOf, openCache } from './platform/cache.ts'
import { openDataFolder } from './platform/data_folder.ts'
import { registerGauges } from './platform/gauges.ts'
import { type Ground, openGround, type Progress } from './platform/ground.ts'
import { openJobs } from './platform/jobs.ts'
import { openMessaging } from './platform/messaging.ts'
import { steerQueues } from './platform/queue_settings.ts'
import { openResponses, type Responses, withResponses } from './platform/responses.ts'
import { keyringOf } from './platform/secrets.ts'
import { openSettings, type PlatformSettings } from './platform/settings.ts'
import { type PlatformParts, platformServices } from './platform/start_order.ts'
import { createSurface } from './platform/surface.ts'
import { platformVersion } from './platform/version.ts'
import { type ListenOptions, type ServedHttp, serve } from './process/serve.ts'

/**
 * Everything of one process, from one configuration.
 *
 * Built once: `start` brings it up, `stop` drains it and takes it down; a stopped platform is not started again.
 */
export interface Tailwater extends Mounts {
  readonly config: ResolvedConfig
  readonly clock: Clock
  readonly logger: Logger
  readonly database: Database
  /** Of Tailwater's own tables first, of the application's after them. */
  readonly migrators: readonly Migrator[]
  readonly leases: LeaseStore
  /** What must follow a transaction is a row of it. */
  readonly outbox: Outbox
  /** Broadcast to every process on the same database. */
  readonly bus: PostgresBus
  /** When there is a `redisUrl`. */
  readonly redis: Redis | undefined
  /** What can be changed without a restart. */
  readonly settings: PlatformSettings
  /** In this process's memory, behind it in Redis where there is a `redisUrl`; processes hear of each other's invalidations. */
  readonly cache: Cache
  /** With `http.cache`. */
  readonly responses: Responses | undefined
  readonly jobs: Jobs
  /** Published in a transaction of the database, a message goes out with its commit. */
  readonly messaging: Messaging
  readonly mailer: Mailer
  /** In `files/` of the data folder. */
  readonly files: FileStore
  readonly keyring: Keyring
  readonly accounts: Accounts
  readonly telemetry: Telemetry
  /** Connects, migrates and starts the engines. Resolves to the first administrator when this start made one. */
  start(): Promise<FirstAdministrator | undefined>
  /** Finishes what is in flight until the deadline, a reading of `clock.elapsed`, then closes everything it opened. */
  stop(deadline?: number): Promise<void>
  /** Listens with a server, and answers the requests in flight before its `stop` resolves. */
  serve(server: Server, options: ListenOptions): ServedHttp
}

/**
 * Builds a platform. Without a database the embedded PostgreSQL is started here, because everything needs its address; `stop` ends it.
 *
 * @param progress is told, a line at a time, what takes long
 * @throws E_OPTIONS, E_DATA_DIR, E_SECRET, and the embedded server's own errors
 *
 * @example
 * const tw = await createTailwater({ database: 'postgres://localhost/shop' })
 * await tw.start()
 * const total = await tw.cache.getOrSet({ key: 'total', ttl: '5m', load: countOrders })
 * await tw.stop()
 */
export async function createTailwater(given: TailwaterConfig = {}, progress: Progress = () => {}): Promise<Tailwater> {
  const config = resolveConfig(given)
  openDataFolder(config.dataDir)
  const keyring = keyringOf(config)
  const ground = await openGround(config, progress)
  try {
    return await assemble(config, ground, keyring, progress)
  } catch (error) {
    // Its own failure would hide why the platform could not be built.
    await ground.embedded?.stop().catch(() => {})
    throw error
  }
}

async function assemble(
  config: ResolvedConfig,
  ground: Ground,
  keyring: Keyring,
  progress: Progress,
): Promise<Tailwater> {
  const { clock, schema } = config
  const { database } = ground
  const logger = createLogger({ ...config.log, name: config.name })
  // A folder of their own: beside them lie the secret and the database.
  const files = createDiskFileStore(join(config.dataDir, 'files'))
  const mailer = await openMailer(config, { clock, files: createDiskFileStore(config.dataDir) })
  const jobs = openJobs(config, ground, keyring)
  const messaging = openMessaging(config, ground)
  const accounts = createAccounts({ database, schema, keyring, clock })
  const telemetry = createTelemetry({ clock, ignorePaths: [config.dashboardPath] })
  registerGauges(telemetry, database, jobs)
  const surface = createSurface(config, ground, accounts)
  const settings = openSettings(config, ground)
  steerQueues(jobs, config.jobs.queues, settings)
  const far = farOf(config, ground)
  const cache = openCache(config, ground, settings, far)
  const responses = openResponses(config, cache, far)
  const engines = {
    config,
    ground,
    settings,
    cache,
    responses,
    surface,
    logger,
    mailer,
    jobs,
    messaging,
    accounts,
    telemetry,
    progress,
  }
  const parts = { ...engines, dashboard: dashboardOf(engines) }
  const { services, firstAdministrator } = platformServices(parts)
  return {
    ...createMounts(parts),
    config,
    clock,
    logger,
    ...shownOf(ground),
    settings,
    cache,
    responses,
    jobs,
    messaging,
    mailer,
    files,
    keyring,
    accounts,
    telemetry,
    async start() {
      await startAll(services)
      return firstAdministrator()
    },
    stop: (deadline) => stopAll(services, deadline),
    serve: (server, options) => serve(server, { ...options, drain: surface.drain, clock }),
  }
}

/** What of the ground is the user's to use. */
function shownOf({ database, migrators, leases, outbox, bus, redis }: Ground) {
  return { database, migrators, leases, outbox, bus, redis }
}

function dashboardOf(parts: Omit<PlatformParts, 'dashboard'>): Dashboard {
  const { config, ground, accounts, telemetry, cache, responses, jobs, messaging, settings, surface } = parts
  return createDashboard({
    accounts,
    telemetry,
    database: ground.database,
    cache: withResponses(cache, responses),
    jobs,
    settings,
    messaging,
    closing: surface.drain.closing,
    version: platformVersion(),
    mount: config.dashboardPath,
    // The mounts describe all routes together.
    describe: false,
    clock: config.clock,
  })
}

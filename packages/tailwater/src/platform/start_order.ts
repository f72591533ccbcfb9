import type { Cache } from '@tailwater/cache'
import { type Cancel, createService, type Mailer, type Service } from '@tailwater/core'
import type { Accounts, Dashboard, FirstAdministrator } from '@tailwater/dashboard'
import type { Jobs } from '@tailwater/jobs'
import type { Messaging } from '@tailwater/messaging'
import type { Telemetry } from '@tailwater/telemetry'
import type { ResolvedConfig } from '../config.ts'
import { logEvents } from '../log/log_subscriber.ts'
import type { ProcessLogger } from '../log/logger.ts'
import { probeBroker } from './broker_probe.ts'
import { tellCommandChanges } from './command_changes.ts'
import type { Ground, Progress } from './ground.ts'
import type { PlatformResponses } from './responses.ts'
import { followLogLevel, type PlatformSettings } from './settings.ts'
import type { Surface } from './surface.ts'
import { warmOnRequest } from './warm_requests.ts'

/** What the platform is assembled from. */
export interface PlatformParts {
  config: ResolvedConfig
  ground: Ground
  settings: PlatformSettings
  cache: Cache
  responses: PlatformResponses | undefined
  surface: Surface
  dashboard: Dashboard
  logger: ProcessLogger
  mailer: Mailer
  jobs: Jobs
  messaging: Messaging
  accounts: Accounts
  telemetry: Telemetry
  progress: Progress
}

/**
 * Everything with a beginning and an end, in the order of the beginnings: what comes later leans on what comes before.
 * Being ready is last, so that no request is sent to a half-started process, and first to go.
 */
export function platformServices(parts: PlatformParts): {
  services: readonly Service[]
  /** Whom this start has made, if anybody. */
  firstAdministrator(): FirstAdministrator | undefined
} {
  const { config, ground, surface, mailer, jobs, telemetry } = parts
  let made: FirstAdministrator | undefined
  const nothing = () => {}
  const services: Service[] = [
    logging(parts),
    ...(ground.embedded ? [ground.embedded] : []),
    ground.database,
    ...(ground.redis ? [ground.redis] : []),
    createService('migrations', { start: () => migrate(parts), stop: nothing }),
    ground.outbox,
    ground.bus,
    parts.settings,
    logLevel(parts),
    parts.cache,
    warmOnRequest(ground.bus, parts.cache),
    tellCommandChanges(ground.bus),
    createService('broker', {
      start: () => (config.amqpUrl ? probeBroker(config.amqpUrl, config.clock) : undefined),
      stop: nothing,
    }),
    createService('first-administrator', {
      async start() {
        made = await parts.accounts.ensureFirstAdministrator(config.administrator)
      },
      stop: nothing,
    }),
    createService('mailer', { start: nothing, stop: () => mailer.close() }),
    telemetry,
    jobs,
    parts.messaging,
    parts.dashboard,
    createService('surface', {
      start: () => surface.health.setReady(true),
      stop() {
        surface.health.setReady(false)
        surface.drain.begin()
        surface.close()
      },
    }),
  ]
  return { services, firstAdministrator: () => made }
}

function logging({ logger }: PlatformParts): Service {
  let end: Cancel = () => {}
  return createService('logging', {
    start() {
      end = logEvents(logger)
    },
    stop() {
      end()
      logger.flush()
    },
  })
}

function logLevel({ settings, logger, config }: PlatformParts): Service {
  let end: Cancel = () => {}
  return createService('log-level', {
    start() {
      end = followLogLevel(settings, logger, config.log.level)
    },
    stop: () => end(),
  })
}

async function migrate({ config, ground, progress }: PlatformParts): Promise<void> {
  for (const migrator of ground.migrators) {
    if (config.migrations === 'auto') {
      const { pending } = await migrator.status()
      if (pending.length > 0) progress(`Applying ${pending.length} migrations …`)
    }
    await migrator.run()
  }
}

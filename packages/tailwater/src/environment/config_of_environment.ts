import type { DatabaseConfig, TailwaterConfig } from '../config.ts'
import type { Environment } from './variables.ts'

/** The configuration that environment variables describe; with `isTerminal` the log has a format for it unless one is named. */
export function configOfEnvironment(environment: Partial<Environment>, isTerminal?: boolean): TailwaterConfig {
  return given<TailwaterConfig>({
    environment: environment.NODE_ENV,
    database: given<DatabaseConfig>({
      url: environment.DATABASE_URL,
      embeddedInProduction: environment.TAILWATER_EMBEDDED_IN_PRODUCTION,
    }),
    dataDir: environment.DATA_DIR,
    trustedProxies: environment.TRUSTED_PROXIES,
    secret: environment.TAILWATER_SECRET,
    redisUrl: environment.REDIS_URL,
    cache: environment.CACHE_ENTRIES === undefined ? undefined : { near: { maxEntries: environment.CACHE_ENTRIES } },
    jobs: environment.JOBS_STORE === undefined ? undefined : { store: environment.JOBS_STORE },
    amqpUrl: environment.AMQP_URL,
    mail: given({ smtpUrl: environment.SMTP_URL }),
    log: given({ level: environment.LOG_LEVEL, format: environment.LOG_FORMAT ?? formatFor(isTerminal) }),
    administrator: given({
      email: environment.TAILWATER_ADMIN_EMAIL,
      password: environment.TAILWATER_ADMIN_PASSWORD,
    }),
  })
}

function formatFor(isTerminal: boolean | undefined): 'pretty' | 'json' | undefined {
  if (isTerminal === undefined) return undefined
  return isTerminal ? 'pretty' : 'json'
}

/** Leaves out what is undefined, so that it covers nothing up when laid over something else. */
function given<T extends object>(all: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as T
}

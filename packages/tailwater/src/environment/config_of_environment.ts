import type { TailwaterConfig } from '../config.ts'
import type { Environment } from './variables.ts'

/** The configuration that the environment variables describe; `isTerminal` decides the log's default format. */
export function configOfEnvironment(environment: Environment, isTerminal: boolean): TailwaterConfig {
  return {
    environment: environment.NODE_ENV,
    database: {
      ...(environment.DATABASE_URL ? { url: environment.DATABASE_URL } : {}),
      embeddedInProduction: environment.TAILWATER_EMBEDDED_IN_PRODUCTION ?? 'refuse',
    },
    dataDir: environment.DATA_DIR,
    trustedProxies: environment.TRUSTED_PROXIES,
    ...(environment.TAILWATER_SECRET ? { secret: environment.TAILWATER_SECRET } : {}),
    ...(environment.REDIS_URL ? { redisUrl: environment.REDIS_URL } : {}),
    ...(environment.AMQP_URL ? { amqpUrl: environment.AMQP_URL } : {}),
    mail: environment.SMTP_URL ? { smtpUrl: environment.SMTP_URL } : {},
    log: { level: environment.LOG_LEVEL, format: environment.LOG_FORMAT ?? (isTerminal ? 'pretty' : 'json') },
    administrator: {
      email: environment.TAILWATER_ADMIN_EMAIL,
      ...(environment.TAILWATER_ADMIN_PASSWORD ? { password: environment.TAILWATER_ADMIN_PASSWORD } : {}),
    },
  }
}

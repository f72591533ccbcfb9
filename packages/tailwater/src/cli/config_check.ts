import { resolveConfig, type TailwaterConfig } from '../config.ts'
import { openDataFolder } from '../platform/data_folder.ts'
import { keyringOf } from '../platform/secrets.ts'
import type { Terminal } from './terminal.ts'

/** Reads the settings as a start would, without connecting anywhere, and prints what they come to; secrets are left out. */
export function configCheck(given: TailwaterConfig, { say }: Terminal): number {
  const config = resolveConfig(given)
  openDataFolder(config.dataDir)
  keyringOf(config)
  const rows: [string, string][] = [
    ['environment', config.environment],
    ['database', config.database.url ? withoutSecrets(config.database.url) : `embedded, in ${config.dataDir}`],
    ['connections', `${config.database.min} to ${config.database.max}`],
    ['migrations', config.migrations],
    ['Redis', config.redisUrl ? withoutSecrets(config.redisUrl) : 'none'],
    ['jobs', JOBS_STORES[config.jobs.store]],
    ['RabbitMQ', config.amqpUrl ? withoutSecrets(config.amqpUrl) : 'none'],
    ['mail', config.mail.smtpUrl ? withoutSecrets(config.mail.smtpUrl) : `files in ${config.dataDir}/outbox`],
    ['secret', config.secret ? 'given' : 'kept in the data folder'],
    ['trusted proxies', config.trustedProxies.join(', ') || 'none'],
    ['log', `${config.log.level}, ${config.log.format}`],
    ['dashboard', config.dashboardPath],
  ]
  for (const [name, text] of rows) say(`${name.padEnd(16)}${text}`)
  say('\nThe settings are right.')
  return 0
}

const JOBS_STORES = {
  postgres: 'in PostgreSQL, within the transactions that enqueue them',
  redis: 'in Redis, from transactions through the outbox',
  memory: 'in memory: lost with the process',
}

/** A URL as it may be shown: host, port and path. */
function withoutSecrets(text: string): string {
  const { protocol, host, pathname } = new URL(text)
  return `${protocol}//${host}${pathname}`
}

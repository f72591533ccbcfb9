import type { ConnectionOptions } from 'node:tls'
import {
  boolean,
  type Clock,
  type Duration,
  duration,
  group,
  integer,
  optional,
  optionsError,
  resolveOptions,
  systemClock,
  text,
  value,
} from '@tailwater/core'
import type { RedisClient } from './client.ts'

/** A server's address. */
export interface RedisAddress {
  host: string
  port: number
}

/** A user name with its password. */
export interface RedisCredentials {
  username?: string
  password: string
}

/** A password, or what fetches one for each new connection: tokens of cloud providers live for minutes. */
export type PasswordSource = string | (() => string | RedisCredentials | Promise<string | RedisCredentials>)

/** Options of `createRedis`. Give one of `url`, `host`, `socketPath`, `sentinel`, `cluster` and `client`. */
export interface RedisOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  url?: string
  /** @default '127.0.0.1' */
  host?: string
  /** @default 6379 */
  port?: number
  /** A Unix socket. */
  socketPath?: string
  /** Sentinels, which know the present master of a name. */
  sentinel?: {
    nodes: readonly RedisAddress[]
    master: string
    username?: string
    password?: string
    tls?: boolean | ConnectionOptions
  }
  /** Some nodes of a cluster; the others are found. */
  cluster?: { nodes: readonly RedisAddress[]; natMap?: Readonly<Record<string, RedisAddress>> }
  /** A client of your own (ioredis `Redis` or `Cluster`). It stays yours: it is never closed here. */
  client?: RedisClient
  username?: string
  password?: PasswordSource
  /** @default true for `rediss://` */
  tls?: boolean | ConnectionOptions
  /** Number of the database; a cluster has only 0. @default 0 */
  database?: number
  /** Begins every key. @default 'tailwater' */
  prefix?: string
  /** Shown by CLIENT LIST, with each connection's label. @default 'tailwater' */
  name?: string
  /** Connections of this process at most, subscribers and blocking ones included. Of a cluster each node counts. @default 20 */
  maxConnections?: number
  /** From the first packet to the end of the handshake. @default '2s' */
  connectTimeout?: Duration
  /** For each command. A connection that stays silent so long with commands waiting is given up. @default '2s', '5s' for a cluster, which needs that for a failover */
  commandTimeout?: Duration
  /** Lets commands wait for a connection, within `commandTimeout`, instead of failing at once while there is none. @default false */
  offlineQueue?: boolean
  /** Lets `start` succeed while the server is away; the connection is made when it is back. @default false */
  lazy?: boolean
  /** Pause before a new attempt: the first, doubled with each failure, to the last; half of it is random. @default { min: '50ms', max: '2s' } */
  reconnect?: { min?: Duration; max?: Duration }
  clock?: Clock
}

const isObject = (given: unknown) => typeof given === 'object' && given !== null
const isPassword = (given: unknown) => typeof given === 'string' || typeof given === 'function'
const isTls = (given: unknown) => typeof given === 'boolean' || isObject(given)
const isAddress = (given: unknown) =>
  isObject(given) && typeof (given as RedisAddress).host === 'string' && Number.isInteger((given as RedisAddress).port)
const areAddresses = (given: unknown) => Array.isArray(given) && given.length > 0 && given.every(isAddress)
const isClient = (given: unknown) => isObject(given) && typeof (given as RedisClient).call === 'function'

const ADDRESSES = 'a list of { host, port }'
/** CLIENT SETNAME refuses spaces; braces in a prefix would be a hash tag of their own. */
const WORD = /^[\w.:@-]+$/

const FIELDS = {
  // Checked where it is read: it may hold a password, which an error must not repeat.
  url: optional(text()),
  host: optional(text()),
  port: optional(integer({ min: 1, max: 65_535 })),
  socketPath: optional(text()),
  sentinel: optional(
    group({
      nodes: value<readonly RedisAddress[]>(ADDRESSES, areAddresses),
      master: text(),
      username: optional(text()),
      password: optional(text()),
      tls: optional(value<boolean | ConnectionOptions>('true or TLS options', isTls)),
    }),
  ),
  cluster: optional(
    group({
      nodes: value<readonly RedisAddress[]>(ADDRESSES, areAddresses),
      natMap: optional(value<Readonly<Record<string, RedisAddress>>>('addresses by address', isObject)),
    }),
  ),
  client: optional(value<RedisClient>('an ioredis client', isClient)),
  username: optional(text()),
  password: optional(value<PasswordSource>('a password, or a function that returns one', isPassword)),
  tls: optional(value<boolean | ConnectionOptions>('true or TLS options', isTls)),
  database: optional(integer({ min: 0 })),
  prefix: text({ pattern: WORD, expected: 'letters, digits and any of . : @ _ -', default: 'tailwater' }),
  name: text({ pattern: WORD, expected: 'letters, digits and any of . : @ _ -', default: 'tailwater' }),
  maxConnections: integer({ min: 2, default: 20 }),
  connectTimeout: duration({ min: 1, default: '2s' }),
  commandTimeout: optional(duration({ min: 1 })),
  offlineQueue: boolean({ default: false }),
  lazy: boolean({ default: false }),
  reconnect: optional(group({ min: duration({ min: 1, default: '50ms' }), max: duration({ min: 1, default: '2s' }) })),
  clock: value<Clock>('a Clock', isObject, { default: systemClock }),
}

/** Options of `createRedis` with their defaults, and what the URL says spelt out. */
export type ResolvedRedisOptions = ReturnType<typeof resolveRedisOptions>

/** Ways to say where the server is; only one may be used. */
const PLACES = ['url', 'host', 'socketPath', 'sentinel', 'cluster', 'client'] as const

/** Checks the options of `createRedis` and fills in their defaults. @throws E_OPTIONS */
export function resolveRedisOptions(options: RedisOptions = {}) {
  const { url, ...resolved } = resolveOptions('redis', options, FIELDS)
  const places = PLACES.filter((place) => options[place] !== undefined)
  if (places.length > 1) throw optionsError('redis', `only one of ${PLACES.join(', ')}`, places.join(' and '))
  if (resolved.cluster && resolved.database) throw optionsError('redis.database', '0 in a cluster', resolved.database)
  const { reconnect = { min: 50, max: 2_000 } } = resolved
  if (reconnect.min > reconnect.max) throw optionsError('redis.reconnect.min', 'at most reconnect.max', reconnect.min)
  const fromUrl = url === undefined ? {} : readUrl(url)
  // What is said twice holds as it is said beside the URL.
  return {
    ...resolved,
    host: fromUrl.host ?? resolved.host ?? '127.0.0.1',
    port: fromUrl.port ?? resolved.port ?? 6379,
    username: resolved.username ?? fromUrl.username,
    password: resolved.password ?? fromUrl.password,
    tls: resolved.tls ?? fromUrl.tls ?? false,
    database: resolved.database ?? fromUrl.database ?? 0,
    commandTimeout: resolved.commandTimeout ?? (resolved.cluster ? 5_000 : 2_000),
    reconnect,
  }
}

interface UrlParts {
  host?: string
  port?: number
  username?: string
  password?: string
  database?: number
  tls?: true
}

function readUrl(url: string): UrlParts {
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url))
    throw optionsError('redis.url', "an address such as 'redis://127.0.0.1:6379'", 'something else')
  const { protocol, hostname, port, username, password, pathname } = new URL(url)
  const database = pathname.length > 1 ? Number(pathname.slice(1)) : undefined
  if (database !== undefined && !(Number.isInteger(database) && database >= 0))
    throw optionsError('redis.url', 'an address whose path is the number of a database', pathname)
  return {
    host: hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: port ? Number(port) : 6379,
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    ...(database !== undefined && { database }),
    ...(protocol === 'rediss:' && { tls: true as const }),
  }
}

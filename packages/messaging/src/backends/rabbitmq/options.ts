import type { ConnectionOptions } from 'node:tls'
import {
  boolean,
  type Clock,
  type Duration,
  duration,
  group,
  type IdSource,
  integer,
  newId,
  oneOf,
  optional,
  optionsError,
  resolveOptions,
  type Size,
  size,
  systemClock,
  text,
  value,
} from '@tailwater/core'
import type { AmqpAddress } from './address.ts'

/** A user of the broker. */
export interface RabbitMqCredentials {
  readonly username: string
  readonly password: string
}

/** Options of `createRabbitMqBackend`. Give `url` or `urls`. */
export interface RabbitMqOptions {
  /** `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS. */
  url?: string
  /** Nodes of one cluster, tried one after another. */
  urls?: readonly string[]
  /** In place of those in the URL; a function is asked for each new connection. */
  credentials?: RabbitMqCredentials | (() => RabbitMqCredentials | Promise<RabbitMqCredentials>)
  /** For `amqps://`: certificate authority, client certificate and so on. */
  tls?: ConnectionOptions
  /** @default that of the URL, or '/' */
  vhost?: string
  /** Begins the name of every exchange and queue, so that several applications can share a virtual host. @default '' */
  prefix?: string
  /** Of what is declared here: replicated, or on one node. @default 'quorum' */
  queueType?: 'quorum' | 'classic'
  /** Within which a publish is confirmed, or fails. @default '10s' */
  confirmTimeout?: Duration
  /** Messages that are on their way to the broker at once. @default 1000 */
  maxUnconfirmed?: number
  /** Messages that wait while the broker takes none (blocked, or away); further ones fail. @default 10000 */
  maxWaiting?: number
  /** Bytes of the bodies of all that are not confirmed; when there are more, no further ones may wait. @default '64mb' */
  maxWaitingBytes?: Size
  /** The first step of delays: they are rounded up to whole ones. @default '100ms' */
  delayStep?: Duration
  /** Of the management API, `http://127.0.0.1:15672`: for rates, and deliveries that are not settled. */
  managementUrl?: string
  /** From the first packet to the end of the handshake. @default '5s' */
  connectTimeout?: Duration
  /** Lets `start` succeed while the broker is away; the connection is made when it is back. @default false */
  lazy?: boolean
  /** Silence after which a connection is given up is twice this. @default '5s' */
  heartbeat?: Duration
  /** Pause before a new attempt: the first, doubled with each failure, to the last; half of it is random. @default { min: '50ms', max: '2s' } */
  reconnect?: { min?: Duration; max?: Duration }
  /** Shown by the broker for each connection, with its purpose. @default 'tailwater' */
  name?: string
  clock?: Clock
  ids?: IdSource
}

const isObject = (given: unknown) => typeof given === 'object' && given !== null
const areTexts = (given: unknown) =>
  Array.isArray(given) && given.length > 0 && given.every((one) => typeof one === 'string')
const isCredentials = (given: unknown) =>
  typeof given === 'function' ||
  (isObject(given) && typeof (given as RabbitMqCredentials).username === 'string' && 'password' in (given as object))

/** Names go into queue names, which the broker shows and other programs write. */
const WORD = /^[\w.:@-]*$/

const FIELDS = {
  // Checked where they are read: they may hold passwords, which an error must not repeat.
  url: optional(text()),
  urls: optional(value<readonly string[]>('a list of addresses', areTexts)),
  credentials: optional(
    value<NonNullable<RabbitMqOptions['credentials']>>('{ username, password }, or what gives them', isCredentials),
  ),
  tls: optional(value<ConnectionOptions>('TLS options', isObject)),
  vhost: optional(text()),
  prefix: text({ pattern: WORD, expected: 'letters, digits and any of . : @ _ -', default: '' }),
  queueType: oneOf(['quorum', 'classic'], { default: 'quorum' }),
  confirmTimeout: duration({ min: 1, default: '10s' }),
  maxUnconfirmed: integer({ min: 1, max: 100_000, default: 1_000 }),
  maxWaiting: integer({ min: 1, default: 10_000 }),
  maxWaitingBytes: size({ default: '64mb' }),
  delayStep: duration({ min: 10, max: 60_000, default: '100ms' }),
  managementUrl: optional(text()),
  connectTimeout: duration({ min: 1, default: '5s' }),
  lazy: boolean({ default: false }),
  heartbeat: duration({ min: 1_000, max: 600_000, default: '5s' }),
  reconnect: group({ min: duration({ min: 1, default: '50ms' }), max: duration({ min: 1, default: '2s' }) }),
  name: text({ default: 'tailwater' }),
  clock: value<Clock>('a Clock', isObject, { default: systemClock }),
  ids: value<IdSource>('an IdSource', (given) => typeof given === 'function', { default: newId }),
}

/** Options of `createRabbitMqBackend` with their defaults, and what the URLs say spelt out. */
export type ResolvedRabbitMqOptions = ReturnType<typeof resolveRabbitMqOptions>

/** Checks the options of `createRabbitMqBackend` and fills in their defaults. @throws E_OPTIONS */
export function resolveRabbitMqOptions(options: RabbitMqOptions) {
  const given = { ...options, reconnect: options?.reconnect ?? {} }
  const { url, urls, vhost, ...resolved } = resolveOptions('rabbitmq', given, FIELDS)
  if ((url === undefined) === (urls === undefined))
    throw optionsError('rabbitmq', 'given `url` or `urls`', 'neither or both')
  if (resolved.reconnect.min > resolved.reconnect.max)
    throw optionsError('rabbitmq.reconnect.min', 'at most reconnect.max', resolved.reconnect.min)
  const places = (urls ?? [url!]).map(readUrl)
  const { username, password } = places[0]!
  return {
    ...resolved,
    heartbeat: Math.ceil(resolved.heartbeat / 1_000) * 1_000,
    addresses: places.map(({ address }): AmqpAddress => ({ ...address, vhost: vhost ?? address.vhost })),
    credentials: resolved.credentials ?? { username: username ?? 'guest', password: password ?? 'guest' },
  }
}

function readUrl(url: string): { address: AmqpAddress; username?: string; password?: string } {
  if (!/^amqps?:\/\//.test(url) || !URL.canParse(url))
    throw optionsError('rabbitmq.url', "an address such as 'amqp://127.0.0.1:5672/vhost'", 'something else')
  const { protocol, hostname, port, username, password, pathname } = new URL(url)
  const isSecure = protocol === 'amqps:'
  return {
    address: {
      protocol: isSecure ? 'amqps' : 'amqp',
      hostname: hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
      port: port ? Number(port) : isSecure ? 5671 : 5672,
      vhost: pathname.length > 1 ? decodeURIComponent(pathname.slice(1)) : '/',
    },
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
  }
}

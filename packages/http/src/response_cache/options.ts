import {
  boolean,
  type Clock,
  type Duration,
  duration,
  optional,
  resolveOptions,
  type Size,
  size,
  systemClock,
  text,
  value,
} from '@tailwater/core'
import type { Exchange } from '../exchange.ts'
import { normaliseHost } from './cache_key.ts'
import { createMemoryResponseStore } from './memory_response_store.ts'
import type { ResponseStore } from './response_store.ts'

/** What a cache of responses is told. */
export interface ResponseCacheOptions {
  /** Hosts that are cached, as clients name them (`shop.example`, `localhost:3000`); a request for another is refused with 421. @default any host: only for a cache behind something that checks it */
  hosts?: readonly string[]
  /** @default 64 MB of memory */
  store?: ResponseStore
  /** Cookies that do not change the response, or `ignore` for all: a request with any other goes past the cache. @default [] */
  cookies?: readonly string[] | 'ignore'
  /** Keeps responses for each user apart, by a text that stands for the user; undefined means nobody in particular. */
  user?: (request: Pick<Exchange, 'headers'>) => string | undefined
  /** Bodies larger than this are passed on and not kept. @default '1mb' */
  maxBody?: Size
  /** How long a stale response stands in for an origin that fails, where it says nothing of it. @default '10m' */
  staleIfError?: Duration
  /** How long a response is kept beyond its freshness, to be validated or served stale. @default '1h' */
  keepStale?: Duration
  /** How long a request waits for the same one under way. @default '5s' */
  patience?: Duration
  /** Name in `Cache-Status`. @default 'tailwater' */
  name?: string
  /** Targeted field that takes precedence over Cache-Control, in lower case (RFC 9213). @default ['cdn-cache-control'] */
  targets?: readonly string[]
  /** Response headers that list surrogate keys; they are not sent on. @default ['surrogate-key', 'cache-tag'] */
  tagHeaders?: readonly string[]
  /** Lets clients see `Cache-Status`. @default true */
  showStatus?: boolean
  /** @default systemClock */
  clock?: Clock
}

const isList = (given: unknown): given is readonly string[] =>
  Array.isArray(given) && given.every((item) => typeof item === 'string')
/** With a scheme or a `*` it would be no host that a request names, and every request be refused. */
const hosts = value<readonly string[]>(
  "a list of hosts such as 'shop.example' or 'localhost:3000'",
  (given) => isList(given) && given.length > 0 && given.every((host) => normaliseHost('http', host) !== undefined),
)

/** Checks the options of a response cache and fills in their defaults. @throws E_OPTIONS */
export function resolveResponseCacheOptions(options: ResponseCacheOptions = {}) {
  const resolved = resolveOptions('responseCache', options, {
    hosts: optional(hosts),
    store: optional(
      value<ResponseStore>('a ResponseStore', (given) => typeof (given as ResponseStore)?.read === 'function'),
    ),
    cookies: value<readonly string[] | 'ignore'>(
      "a list of names, or 'ignore'",
      (given) => given === 'ignore' || isList(given),
      {
        default: [],
      },
    ),
    user: optional(
      value<NonNullable<ResponseCacheOptions['user']>>('a function', (given) => typeof given === 'function'),
    ),
    maxBody: size({ default: '1mb' }),
    staleIfError: duration({ default: '10m' }),
    keepStale: duration({ default: '1h' }),
    patience: duration({ default: '5s', min: 1 }),
    name: text({ pattern: /^[a-z*][a-z0-9_.*-]*$/i, expected: 'a token', default: 'tailwater' }),
    targets: value<readonly string[]>('a list of names', isList, { default: ['cdn-cache-control'] }),
    tagHeaders: value<readonly string[]>('a list of names', isList, { default: ['surrogate-key', 'cache-tag'] }),
    showStatus: boolean({ default: true }),
    clock: value<Clock>('a Clock', (given) => typeof (given as Clock)?.elapsed === 'function', {
      default: systemClock,
    }),
  })
  return { ...resolved, store: resolved.store ?? createMemoryResponseStore({ clock: resolved.clock }) }
}

/** Options with every default filled in; durations in milliseconds, sizes in bytes. */
export type ResolvedResponseCacheOptions = ReturnType<typeof resolveResponseCacheOptions>

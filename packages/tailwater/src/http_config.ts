import { boolean, type Duration, duration, group, optional, type Size, size, value } from '@tailwater/core'
import type { ResponseCacheOptions } from '@tailwater/http'

/** By which the cache knows responses: none of its namespaces is called so. */
export const RESPONSES = 'http'

/** How requests are answered. */
export interface HttpConfig {
  /** Answers from what handlers allow a shared cache to keep. @default off */
  cache?: ResponseCacheConfig
}

/** How responses are kept: where the cache's far tier is, otherwise in the memory of each process. */
export interface ResponseCacheConfig {
  /** Hosts that the application answers for, as clients name them (`shop.example`, `localhost:3000`). A request for another gets 421, but for health and the dashboard. */
  hosts: readonly string[]
  /** Cookies that do not change a response, or `ignore` for all; a request with any other goes past the cache. @default [] */
  cookies?: readonly string[] | 'ignore'
  /** Keeps responses for each user apart, by a text that stands for the user. */
  user?: ResponseCacheOptions['user']
  /** Of the memory of each process, where there is no far tier. @default '64mb' */
  maxBytes?: Size
  /** Larger bodies are not kept. @default '1mb' */
  maxBody?: Size
  /** How long a stale response stands in for a handler that fails, where it says nothing of it. @default '10m' */
  staleIfError?: Duration
  /** Lets clients see `Cache-Status`. @default true */
  showStatus?: boolean
}

/** A name or address with perhaps a port: what a URL has between the slashes. */
const HOST = /^[^\s/@?#]+$/
const isHosts = (given: unknown) => Array.isArray(given) && given.length > 0 && given.every((one) => HOST.test(one))
const isNames = (given: unknown) => Array.isArray(given) && given.every((one) => typeof one === 'string')

const cacheFields = {
  hosts: value<readonly string[]>("a list of hosts such as 'shop.example'", isHosts),
  cookies: value<readonly string[] | 'ignore'>(
    "a list of names, or 'ignore'",
    (given) => given === 'ignore' || isNames(given),
    {
      default: [],
    },
  ),
  user: optional(
    value<NonNullable<ResponseCacheOptions['user']>>('a function', (given) => typeof given === 'function'),
  ),
  maxBytes: size({ default: '64mb' }),
  maxBody: size({ default: '1mb' }),
  staleIfError: duration({ default: '10m' }),
  showStatus: boolean({ default: true }),
}

/** How `http` of a configuration is read. */
export const httpFields = { cache: optional(group(cacheFields)) }

import {
  backgroundError,
  type Clock,
  type Duration,
  duration,
  integer,
  optional,
  resolveOptions,
  systemClock,
  text,
  toError,
  value,
} from '@tailwater/core'
import { boundedKey, byAddress, type ClientKey } from './client_key.ts'
import type { Exchange } from './exchange.ts'
import type { Rate, RateDecision } from './gcra.ts'
import { appendHeader } from './header.ts'
import type { Middleware } from './middleware.ts'
import { problem } from './problem.ts'
import { createMemoryRateStore, type RateLimitStore } from './rate_limit_store.ts'
import { serializeList } from './structured_field.ts'

/** Options of `rateLimit`. */
export interface RateLimitOptions {
  /** Names the policy in headers and keys: letters, digits and `-`. Policies of one store must differ in name. */
  name: string
  /** Units per period. */
  limit: number
  per: Duration
  /** Units admitted at once. @default limit */
  burst?: number
  /** Whose budget; undefined for a request that draws on none. @default byAddress */
  key?: ClientKey
  /** What a request costs, in units; a whole number from 0. @default 1 */
  cost?: number | ((exchange: Exchange) => number)
  /** Requests that are never counted. */
  skip?: (exchange: Exchange) => boolean
  /** @default a memory store of its own, of 100,000 clients */
  store?: RateLimitStore
  /** Of the default store. */
  clock?: Clock
}

const isFunction = (given: unknown) => typeof given === 'function'
const isCost = (given: unknown) => isFunction(given) || (Number.isSafeInteger(given) && (given as number) >= 0)
const hasTake = (given: unknown) => typeof given === 'object' && given !== null && 'take' in given

/** Checks the options of `rateLimit` and fills in their defaults. @throws E_OPTIONS */
export function resolveRateLimitOptions(options: RateLimitOptions) {
  const resolved = resolveOptions('rateLimit', options, {
    name: text({ pattern: /^[A-Za-z0-9-]{1,32}$/, expected: 'a name of at most 32 letters, digits and -' }),
    limit: integer({ min: 1 }),
    per: duration({ min: 1_000 }),
    burst: optional(integer({ min: 1 })),
    key: value<ClientKey>('a function', isFunction, { default: byAddress }),
    cost: value<number | ((exchange: Exchange) => number)>('a whole number from 0, or a function', isCost, {
      default: 1,
    }),
    skip: value<(exchange: Exchange) => boolean>('a function', isFunction, { default: () => false }),
    store: optional(value<RateLimitStore>('a store with a take method', hasTake)),
    clock: value<Clock>('a Clock', (given) => typeof given === 'object', { default: systemClock }),
  })
  const { limit, per: period, burst = limit, ...rest } = resolved
  return { ...rest, rate: { limit, period, burst } satisfies Rate }
}

/**
 * Refuses clients that ask more than their share: 429, with the time to wait.
 *
 * Replies say what is allowed and what is left in `RateLimit-Policy` and `RateLimit`
 * (draft-ietf-httpapi-ratelimit-headers, revisions 8 to 11), refusals in `Retry-After` too. The address is that of
 * `exchange.client`, so proxies are believed only as the adapter was told. With its store away it admits and reports
 * to `backgroundError`: losing the limit for a while is better than losing the service.
 *
 * @throws E_OPTIONS on a wrong option
 * @throws HttpProblem 429 E_RATE_LIMITED from `before`
 * @example
 * const limited = rateLimit({ name: 'search', limit: 30, per: '1m', burst: 10 })
 */
export function rateLimit(options: RateLimitOptions): Middleware {
  const {
    name,
    rate,
    key,
    cost,
    skip,
    clock,
    store = createMemoryRateStore({ clock }),
  } = resolveRateLimitOptions(options)
  const policy = policyHeader(name, rate)

  function settle(exchange: Exchange, decision: RateDecision, units: number): void {
    appendHeader(exchange.replyHeaders, 'ratelimit-policy', policy)
    appendHeader(exchange.replyHeaders, 'ratelimit', limitHeader(name, decision))
    if (!decision.admitted) throw refusal(name, rate, decision, units)
  }

  return {
    name: `rateLimit:${name}`,
    before(exchange) {
      const client = skip(exchange) ? undefined : key(exchange)
      if (client === undefined) return
      const units = typeof cost === 'function' ? cost(exchange) : cost
      const decision = take(store, `${name}:${boundedKey(client)}`, rate, units)
      if (decision instanceof Promise) return decision.then((late) => late && settle(exchange, late, units))
      if (decision) settle(exchange, decision, units)
    },
  }
}

type Taken = RateDecision | undefined

function take(store: RateLimitStore, key: string, rate: Rate, units: number): Taken | Promise<Taken> {
  try {
    const decision = store.take(key, rate, units)
    return decision instanceof Promise ? decision.catch(admitAndReport) : decision
  } catch (error) {
    return admitAndReport(error)
  }
}

function admitAndReport(error: unknown): undefined {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'rate-limit', error: toError(error) })
}

const seconds = (ms: number) => Math.max(0, Math.ceil(ms / 1_000))

function policyHeader(name: string, { limit, period, burst }: Rate): string {
  const parameters: Record<string, number> = { q: limit, w: seconds(period) }
  // Parameters beyond the draft's carry a vendor's prefix.
  if (burst !== limit) parameters['tailwater-burst'] = burst
  return serializeList([{ value: name, parameters }])
}

function limitHeader(name: string, { remaining, nextAfter }: RateDecision): string {
  return serializeList([{ value: name, parameters: { r: remaining, t: seconds(nextAfter) } }])
}

function refusal(name: string, { limit, period, burst }: Rate, { retryAfter }: RateDecision, units: number) {
  if (retryAfter === Number.POSITIVE_INFINITY)
    return problem(
      429,
      'E_RATE_LIMITED',
      `This request costs ${units} of at most ${burst} at once under the limit '${name}'. Ask for less.`,
    )
  const wait = Math.max(1, seconds(retryAfter))
  const detail = `The limit '${name}' of ${limit} in ${seconds(period)} s is used up. Try again in ${wait} s.`
  return problem(429, 'E_RATE_LIMITED', detail, { headers: { 'retry-after': String(wait) } })
}

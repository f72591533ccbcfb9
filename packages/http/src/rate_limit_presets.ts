import type { Clock } from '@tailwater/core'
import { boundedKey, byAddress, type ClientKey, firstOf } from './client_key.ts'
import type { Exchange } from './exchange.ts'
import type { Middleware } from './middleware.ts'
import { rateLimit } from './rate_limit.ts'
import type { RateLimitStore } from './rate_limit_store.ts'

/** What the presets share. */
export interface RateLimitPresetOptions {
  store?: RateLimitStore
  clock?: Clock
  /**
   * The id of the signed-in session or account, from an authentication that ran before; undefined for
   * strangers. An unverified cookie must not do: each invention would have a budget of its own.
   */
  session?: (exchange: Exchange) => string | undefined
  skip?: (exchange: Exchange) => boolean
}

/** A signed-in operator's reads in 15 minutes: a page of a dozen panels refreshed every 5 seconds needs 2,160. */
const SESSION_READS = 3_000

/**
 * Reads of the admin API: 50 in 15 minutes for each client address; a signed-in session has a budget of its own
 * instead, so that colleagues behind one address do not starve each other.
 */
function adminReads({ session, ...shared }: RateLimitPresetOptions = {}): Middleware {
  const bySession = sessionKey(session)
  const clients = rateLimit({
    name: 'admin-reads',
    limit: 50,
    per: '15m',
    ...shared,
  })
  const sessions = rateLimit({ name: 'admin-session', limit: SESSION_READS, per: '15m', key: bySession, ...shared })
  return {
    name: 'rateLimit:admin-reads',
    before: (exchange) => (bySession(exchange) === undefined ? clients : sessions).before!(exchange),
  }
}

/** Pausing, cleaning and retrying queues: 200 in 15 minutes for each session, or address. */
function queueOperations({ session, ...shared }: RateLimitPresetOptions = {}): Middleware {
  return rateLimit({
    name: 'queue-operations',
    limit: 200,
    per: '15m',
    key: firstOf(sessionKey(session), byAddress),
    ...shared,
  })
}

/** Attempts to log in: 5 a minute for each address, right or wrong. */
function login({ session: _, ...shared }: RateLimitPresetOptions = {}): Middleware {
  return rateLimit({ name: 'login', limit: 5, per: '1m', ...shared })
}

/** The API: 100 a second with bursts of 50, for each session, or address. */
function api({ session, ...shared }: RateLimitPresetOptions = {}): Middleware {
  return rateLimit({
    name: 'api',
    limit: 100,
    per: '1s',
    burst: 50,
    key: firstOf(sessionKey(session), byAddress),
    ...shared,
  })
}

/**
 * Limits that fit their place without further thought.
 *
 * @example
 * const middleware = [rateLimits.api(), rateLimits.login({ skip: ({ path }) => path !== '/auth/login' })]
 */
export const rateLimits = { adminReads, queueOperations, login, api } as const

function sessionKey(session: RateLimitPresetOptions['session']): ClientKey {
  return (exchange) => {
    const id = session?.(exchange)
    return id === undefined ? undefined : `s:${boundedKey(id)}`
  }
}

import { type Clock, oneOf, optional, resolveOptions, systemClock, value } from '@tailwater/core'
import { type ClientResolver, type ClientResolverOptions, createClientResolver } from './client_resolver.ts'
import type { RequestIdTrust } from './request_context.ts'

/** What every adapter needs to know of the place it runs in. */
export interface HostOptions extends ClientResolverOptions {
  /** Whose `x-request-id` is taken over. @default 'proxies' */
  trustRequestId?: RequestIdTrust
  /** Aborts when the process begins to drain: connections are not kept alive any longer and event streams end. */
  closing?: AbortSignal
  clock?: Clock
}

/** Host options with their defaults. */
export interface ResolvedHostOptions {
  clients: ClientResolver
  trustRequestId: RequestIdTrust
  closing: AbortSignal | undefined
  clock: Clock
}

/**
 * Reads host options.
 *
 * @throws E_OPTIONS
 */
export function resolveHostOptions(options: HostOptions = {}): ResolvedHostOptions {
  const resolved = resolveOptions('http', options, {
    trustedProxies: optional(
      value<readonly string[] | number>('a list or a number', (v) => Array.isArray(v) || typeof v === 'number'),
    ),
    forwardedHeader: oneOf(['x-forwarded-for', 'forwarded'], { default: 'x-forwarded-for' }),
    trustRequestId: oneOf(['never', 'proxies', 'always'], { default: 'proxies' }),
    closing: optional(value<AbortSignal>('an AbortSignal', (v) => v instanceof AbortSignal)),
    clock: value<Clock>('a Clock', (v) => v !== null && typeof v === 'object', { default: systemClock }),
  })
  const { trustedProxies = [], forwardedHeader } = resolved
  return {
    clients: createClientResolver({ trustedProxies, forwardedHeader }),
    trustRequestId: resolved.trustRequestId,
    closing: resolved.closing,
    clock: resolved.clock,
  }
}

import {
  type Duration,
  duration,
  type Field,
  number,
  optional,
  optionsError,
  parseDuration,
  resolveOptions,
  value,
} from '@tailwater/core'
import { checkTags } from './tag_name.ts'

/** How long values live, and what is done when they end. */
export interface Lifetime {
  /** How long a value is fresh. */
  ttl?: Duration
  /** How long after that it may be served while, or because, it cannot be loaded again. */
  grace?: Duration
  /** How long that there is nothing (`undefined` or `null`) is remembered. Without it `null` is a value like others and `undefined` is never kept. */
  negativeTtl?: Duration
  /** Share of the ttl by which it is shortened at random, so that what was loaded together does not end together. */
  jitter?: number
  /** Share of the ttl after which a value that is asked for is loaded again in the background; 0 for never. */
  eagerRefresh?: number
  /** How long a load is waited for while there is a stale value to serve instead. */
  softTimeout?: Duration
  /** How long a load may take; then its signal aborts and who waits for it gets the stale value, or E_CACHE_LOAD_TIMEOUT. */
  loadTimeout?: Duration
  /** How long after a failed load the stale value is served before the next attempt. */
  failBackoff?: Duration
  /** What entries can be invalidated by, beside their keys. Those of a call come to those of the namespace, and these to the cache's: none takes another away. */
  tags?: readonly string[]
}

/** What a value that is kept already can be given anew; by default what holds for its namespace. */
export type NewLife = Pick<Lifetime, 'ttl' | 'grace'>

/** A lifetime with nothing left open; durations in milliseconds. */
export interface Policy {
  readonly ttl: number
  readonly grace: number
  readonly negativeTtl: number | undefined
  readonly jitter: number
  readonly eagerRefresh: number
  readonly softTimeout: number
  readonly loadTimeout: number
  readonly failBackoff: number
  readonly tags: readonly string[]
}

/** The longest that anything may live, in milliseconds: ten years, far below what a store's counters hold. */
const MAX_LIFE = 315_360_000_000

const share: Field<number | undefined, number | undefined> = optional(number({ min: 0, max: 1 }))
const life = (min = 0) => optional(duration({ min, max: MAX_LIFE }))

/** Fields of the options that make a lifetime, for `resolveOptions`. */
export const lifetimeFields = {
  ttl: life(1),
  grace: life(),
  negativeTtl: life(1),
  jitter: share,
  eagerRefresh: share,
  softTimeout: life(),
  loadTimeout: life(1),
  failBackoff: life(1),
  tags: optional<readonly string[], readonly string[]>({ parse: checkTags }),
}

/** What holds where nothing else was said. */
export const DEFAULT_POLICY: Policy = {
  ttl: 60_000,
  grace: 0,
  negativeTtl: undefined,
  jitter: 0,
  eagerRefresh: 0,
  softTimeout: 0,
  loadTimeout: 30_000,
  failBackoff: 5_000,
  tags: [],
}

/** Puts what was given over what holds otherwise, and tags beside it. @throws E_OPTIONS, E_CACHE_TAG */
export function policyOf(path: string, lifetime: Lifetime, base: Policy): Policy {
  const given = resolveOptions(path, lifetime, lifetimeFields)
  const policy: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(given)) if (value !== undefined) policy[name] = value
  // Whoever forgets a tag of the namespace means everything in it.
  if (given.tags && base.tags.length > 0) policy['tags'] = checkTags([...new Set([...base.tags, ...given.tags])])
  return policy as unknown as Policy
}

const anything = () => true
/** What a call may say besides: a misspelt ttl would go unseen. */
const callFields = {
  ...lifetimeFields,
  key: optional(value<unknown>('a key', anything)),
  keys: optional(value<unknown>('keys', anything)),
  load: optional(value<unknown>('a function', anything)),
}
const CALL = new Set(Object.keys(callFields))

/** The policy of one call, which mostly says nothing of its own, or only a ttl. @param path the call, for errors @throws E_OPTIONS, E_CACHE_TAG */
export function policyOfCall(path: string, lifetime: Lifetime, base: Policy): Policy {
  // A bare ttl, as other caches take it, would go unseen.
  if (typeof lifetime !== 'object' || lifetime === null)
    throw optionsError(path, "given a lifetime such as { ttl: '5m' }", lifetime)
  for (const name in lifetime) if (!CALL.has(name)) resolveOptions(path, { [name]: 0 }, callFields)
  const { ttl, grace, negativeTtl, jitter, eagerRefresh, softTimeout, loadTimeout, failBackoff, tags } = lifetime
  const others = grace ?? negativeTtl ?? jitter ?? eagerRefresh ?? softTimeout ?? loadTimeout ?? failBackoff ?? tags
  if (others === undefined && ttl === undefined) return base
  const given: Lifetime = {
    ttl,
    grace,
    negativeTtl,
    jitter,
    eagerRefresh,
    softTimeout,
    loadTimeout,
    failBackoff,
    tags,
  } as Lifetime
  return policyOf(path, given, base)
}

/** How long a value lives, in milliseconds. */
export interface Life {
  readonly ttl: number
  readonly grace: number
}

/** What a load may say of its own result. */
export interface LifeWish {
  ttl?: number
  grace?: number
}

/** How long a value is to be kept; undefined if not at all. @param random from 0 up to 1 */
export function lifeOf(policy: Policy, value: unknown, wish: LifeWish, random: () => number): Life | undefined {
  const isNothing = value === undefined || value === null
  const isRemembered = isNothing && policy.negativeTtl !== undefined
  if (value === undefined && !isRemembered && wish.ttl === undefined) return undefined
  const ttl = wish.ttl ?? (isRemembered ? policy.negativeTtl! : policy.ttl)
  if (ttl <= 0) return undefined
  const shortened = policy.jitter > 0 ? Math.max(1, ttl * (1 - policy.jitter * random())) : ttl
  return { ttl: shortened, grace: wish.grace ?? (isRemembered ? 0 : policy.grace) }
}

/** A duration that a load has set for its own result. @throws E_OPTIONS */
export function wishedDuration(given: Duration, path: string): number {
  return Math.min(parseDuration(given, path), MAX_LIFE)
}

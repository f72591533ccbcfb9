import {
  type Bus,
  boolean,
  type Clock,
  type Duration,
  duration,
  group,
  oneOf,
  optional,
  resolveOptions,
  type Size,
  size,
  systemClock,
  text,
  value,
} from '@tailwater/core'
import type { InvalidationOutbox } from './coherence/transactional.ts'
import type { FarBackend } from './far/far_backend.ts'
import { type NearOptions, nearFields } from './near/near_options.ts'
import { DEFAULT_POLICY, type Lifetime, lifetimeFields, type Policy } from './policy.ts'

/** How a cache is built. Everything has a default: `createCache()` is a cache in this process's memory. */
export interface CacheOptions extends Lifetime {
  /** Caches of one name share what the far tier and the bus carry. @default 'main' */
  name?: string
  near?: NearOptions
  /** A store that several processes share; started and stopped with the cache. */
  far?: FarBackend
  /** Tells the processes of invalidations; started before the cache, and stopped after it. */
  bus?: Bus
  /** Carries invalidations that commit with a transaction to the far tier. */
  outbox?: InvalidationOutbox
  /** How long anything near is believed while the bus is silent. @default '5s' */
  busTrust?: Duration
  /** How long an entry is believed after it was compared with the store, while the bus is not. @default '5s' */
  maxStaleness?: Duration
  /** How long a call to the far tier may take. @default '100ms' */
  farTimeout?: Duration
  /** Larger values stay near. @default '8mb' */
  maxFarBytes?: Size
  /** How soon a load is taken over from a process that died. @default '5s' */
  leaseTtl?: Duration
  /** How long a load of another process is waited for. @default '10s' */
  waitLimit?: Duration
  /** In all but production, kept values are deep-frozen: they are shared by all who read them. @default 'development' */
  environment?: 'development' | 'test' | 'production'
  /** Overrides what `environment` says of freezing. */
  freeze?: boolean
  /** Names of fields that the key browser does not show. @default password, secret, token, authorization, cookie, hash, card, iban and the like */
  redact?: readonly (string | RegExp)[]
  /** Keys from 0 up to 1 for jitter. @default Math.random */
  random?: () => number
  /** @default systemClock */
  clock?: Clock
}

const has = (method: string) => (given: unknown) =>
  typeof (given as Record<string, unknown> | undefined)?.[method] === 'function'

const fields = {
  ...lifetimeFields,
  name: text({ default: 'main', pattern: /^[a-z][a-z0-9-]{0,31}$/, expected: 'a lower-case word' }),
  near: group(nearFields),
  far: optional(
    value<FarBackend>('a far backend', (given) => typeof (given as FarBackend | undefined)?.entries === 'object'),
  ),
  bus: optional(value<Bus>('a Bus', has('subscribe'))),
  outbox: optional(value<InvalidationOutbox>('an Outbox', has('consumer'))),
  busTrust: duration({ default: '5s' }),
  maxStaleness: duration({ default: '5s' }),
  farTimeout: duration({ min: 1, default: '100ms' }),
  maxFarBytes: size({ default: '8mb' }),
  leaseTtl: duration({ min: 100, default: '5s' }),
  waitLimit: duration({ default: '10s' }),
  environment: oneOf(['development', 'test', 'production'], { default: 'development' }),
  freeze: optional(boolean()),
  redact: optional(value<readonly (string | RegExp)[]>('a list of names or expressions', Array.isArray)),
  random: value<() => number>('a function', (given) => typeof given === 'function', { default: Math.random }),
  clock: value<Clock>('a Clock', has('after'), { default: systemClock }),
}

/** @throws E_OPTIONS, E_CACHE_TAG */
export function resolveCacheOptions(options: CacheOptions = {}) {
  const resolved = resolveOptions('createCache', options, fields)
  const policy: Record<string, unknown> = { ...DEFAULT_POLICY }
  for (const name of Object.keys(lifetimeFields)) {
    const given = resolved[name as keyof typeof lifetimeFields]
    if (given !== undefined) policy[name] = given
  }
  return {
    ...resolved,
    policy: policy as unknown as Policy,
    freeze: resolved.freeze ?? resolved.environment !== 'production',
  }
}

/** Options of a cache with nothing left open. */
export type ResolvedCacheOptions = ReturnType<typeof resolveCacheOptions>

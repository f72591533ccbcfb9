import { AsyncLocalStorage } from 'node:async_hooks'
import { cacheFar } from '@tailwater/core'
import type { CacheCore } from './core.ts'
import { FarTier } from './far_tier/far_tier.ts'
import { TagNumbers } from './far_tier/tag_numbers.ts'
import { Deadlines } from './load/deadlines.ts'
import { Flights } from './load/flights.ts'
import { LoadChain } from './load/load_chain.ts'
import { Moments } from './moments.ts'
import { createNearTier } from './near/near_tier.ts'
import type { ResolvedCacheOptions } from './options.ts'
import { TagTable } from './tag_table.ts'
import { Trust } from './trust.ts'

/** Hears of invalidations that have reached a far tier that was away. */
export type OnReplayed = (tags: Iterable<string>, number: number) => void

/** Makes what the namespaces of a cache share. */
export function buildCore(options: ResolvedCacheOptions, onReplayed: OnReplayed): CacheCore {
  const { clock, bus, busTrust, maxStaleness, near, freeze, random, waitLimit, maxFarBytes } = options
  const far = farTierOf(options, onReplayed)
  const tags = new TagTable()
  const trust = new Trust({ clock, bus, isShared: bus !== undefined || far !== undefined, busTrust, maxStaleness })
  return {
    clock,
    moments: new Moments(clock),
    deadlines: new Deadlines(clock),
    answerOf: AsyncLocalStorage.bind((value: unknown) => Promise.resolve(value)),
    tags,
    trust,
    flights: new Flights(),
    chain: new LoadChain({ isThorough: options.environment !== 'production' }),
    far,
    numbers: far && new TagNumbers(clock, tags, trust, far),
    near: createNearTier(near),
    freeze,
    random,
    waitLimit,
    maxFarBytes,
  }
}

function farTierOf(
  { far: backend, clock, farTimeout, leaseTtl }: ResolvedCacheOptions,
  onReplayed: OnReplayed,
): FarTier | undefined {
  if (!backend) return undefined
  return new FarTier({
    backend,
    clock,
    timeout: farTimeout,
    leaseTtl,
    onReplayed,
    onChange(change, error) {
      if (cacheFar.hasSubscribers) cacheFar.publish({ backend: backend.name, change, operation: undefined, error })
    },
    onError(error, operation) {
      if (cacheFar.hasSubscribers) cacheFar.publish({ backend: backend.name, change: 'error', operation, error })
    },
  })
}

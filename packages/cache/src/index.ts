export type { KeyBrowser, KeyDetails, KeyLine, KeyPage, KeyQuery, TierDetails } from './browser/key_browser.ts'
export { type Cache, createCache, type GetOrSetManyOptions, type GetOrSetOptions } from './cache.ts'
export type { Follower, Forgotten } from './coherence/follower.ts'
export type { Following } from './coherence/following.ts'
export type { InvalidationOutbox } from './coherence/transactional.ts'
export type { EnvelopeCodec } from './envelope/codec.ts'
export type { Decoded, Envelope, EnvelopeMeta, EnvelopeTag, Rejected, Rejection } from './envelope/envelope.ts'
export { createEnvelopeFormat, type EnvelopeFormat } from './envelope/format.ts'
export { msgpackCodec } from './envelope/msgpack.ts'
export type { EnvelopeOptions } from './envelope/options.ts'
export type { CacheErrorCode } from './errors.ts'
export {
  type FarBackend,
  type FarBrowser,
  type FarEntries,
  type FarKey,
  type FarLeases,
  type FarReading,
  type FarTags,
  type FarVersion,
  type FarWrite,
  TOMBSTONE_MS,
} from './far/far_backend.ts'
export { createMemoryBackend, type MemoryBackendOptions } from './far/memory_backend.ts'
export { createStoreTime, type StoreTime } from './far/store_time.ts'
export type { InvalidateOptions, Invalidation } from './invalidation.ts'
export type { BatchContext, BatchResult } from './load/batch_load.ts'
export type { LoadContext } from './load/load_context.ts'
export type { NamespaceDefinition, WriteBehindOptions } from './namespace/definition.ts'
export type { CacheNamespace } from './namespace/namespace.ts'
export type { WarmOptions, WarmProgress, WarmResult } from './namespace/warm_up.ts'
export type { NearOptions } from './near/near_options.ts'
export type { EvictionPolicy, EvictionPolicyFactory } from './near/policy.ts'
export type { PolicyChoice, PolicyName } from './near/policy_choice.ts'
export { type CacheOptions, type ResolvedCacheOptions, resolveCacheOptions } from './options.ts'
export type { Lifetime, NewLife } from './policy.ts'
export type { SchemaResult, StandardSchema } from './standard_schema.ts'
export type { CacheStats, FarStats, NamespaceStats, NearStats } from './statistics.ts'

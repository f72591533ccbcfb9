export { type Cache, type CacheStats, createCache, type GetOrSetOptions } from './cache.ts'
export { type CacheNamespace, type Caches, createCaches, type NamespaceDefinition } from './caches.ts'
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
export { type CacheOptions, type ResolvedCacheOptions, resolveCacheOptions } from './options.ts'

export { type Cache, type CacheStats, createCache, type GetOrSetOptions } from './cache.ts'
export type { CacheErrorCode } from './errors.ts'
export { type CacheOptions, type ResolvedCacheOptions, resolveCacheOptions } from './options.ts'

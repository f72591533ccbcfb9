export { type Cache, type CacheStats, createCache, type GetOrSetOptions } from './cache.ts'
export { type CacheNamespace, type Caches, createCaches, type NamespaceDefinition } from './caches.ts'
export { type CacheOptions, type ResolvedCacheOptions, resolveCacheOptions } from './options.ts'

export {
  type CacheResponseStore,
  type CacheResponseStoreOptions,
  createCacheResponseStore,
} from './cache_response_store.ts'
export { createFarResponseStore, type FarResponseStoreOptions } from './far_response_store.ts'

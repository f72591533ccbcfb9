export { createRedisBackend } from './backend.ts'
export type { RedisBackendErrorCode } from './errors.ts'
export type { RedisBackendOptions } from './options.ts'

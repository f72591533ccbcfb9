export { redisBackendAcl } from './acl.ts'
export { createRedisBackend, type RedisBackendOptions } from './redis_backend.ts'

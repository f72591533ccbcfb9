export type { OpenConnection } from './budget.ts'
export { createRedisBus, type RedisBus, type RedisBusOptions } from './bus.ts'
export type { Call, CommandCall, ScriptCall } from './call.ts'
export type { RedisArgument, RedisClient, RedisNode, RedisPipeline } from './client.ts'
export type { DedicatedConnection } from './connections.ts'
export type { RedisErrorCode } from './errors.ts'
export type { RedisHealth } from './health.ts'
export { keySlot } from './key_slot.ts'
export { createKeyspace, type Keyspace } from './keyspace.ts'
export { createRedisLeases, type RedisLeasesOptions } from './leases.ts'
export {
  type PasswordSource,
  type RedisAddress,
  type RedisCredentials,
  type RedisOptions,
  resolveRedisOptions,
} from './options.ts'
export { createRedis, type Redis } from './redis.ts'
export type { ScanPage, ScanQuery } from './scan.ts'
export { defineScript, type Script, type ScriptDefinition } from './script.ts'
export type { ChannelListener } from './subscription.ts'

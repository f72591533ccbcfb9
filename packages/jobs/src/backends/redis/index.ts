export { type BullMqImport, type BullMqJob, type BullMqReport, importBullMq } from '../../import_bullmq.ts'
export { createRedisBackend } from './backend.ts'
export type { RedisBackendErrorCode } from './errors.ts'
export type { RedisBackendOptions } from './options.ts'

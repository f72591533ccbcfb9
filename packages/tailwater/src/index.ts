export {
  type DatabaseConfig,
  defineConfig,
  type ResolvedConfig,
  resolveConfig,
  type TailwaterConfig,
} from './config.ts'
export { configOfEnvironment } from './environment/config_of_environment.ts'
export { loadEnvironment, withEnvFile } from './environment/env_file.ts'
export { environmentExample, readEnvironment } from './environment/read_environment.ts'
export type { Environment } from './environment/variables.ts'
export type { TailwaterErrorCode } from './errors.ts'
export { createDiskFileStore } from './files/disk_file_store.ts'
export type { HttpConfig, ResponseCacheConfig } from './http_config.ts'
export type { MountOptions, Mounts } from './mounts/mounts.ts'
export type { Progress } from './platform/ground.ts'
export type { Responses } from './platform/responses.ts'
export { type RunOptions, runUntilSignal } from './process/run_until_signal.ts'
export type { ListenOptions, ServedHttp } from './process/serve.ts'
export { describeStartFailure } from './process/start_failure.ts'
export { createTailwater, type Tailwater } from './tailwater.ts'

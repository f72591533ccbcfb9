export {
  type DatabaseConfig,
  defineConfig,
  type ResolvedConfig,
  resolveConfig,
  type TailwaterConfig,
} from './config.ts'

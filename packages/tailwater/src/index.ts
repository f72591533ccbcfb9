export {
  type DatabaseConfig,
  defineConfig,
  type ResolvedConfig,
  resolveConfig,
  type TailwaterConfig,
} from './config.ts'
export { environmentExample, readEnvironment } from './environment/read_environment.ts'
export type { Environment } from './environment/variables.ts'

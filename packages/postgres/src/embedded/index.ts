export { createEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedServer } from './embedded_postgres.ts'
export type { EmbeddedErrorCode } from './errors.ts'
export {
  type EmbeddedPostgresOptions,
  type EmbeddedStep,
  type ResolvedEmbeddedPostgresOptions,
  resolveEmbeddedPostgresOptions,
} from './options.ts'

export { asQueryable } from './as_queryable.ts'
export { createPostgresBus, type PostgresBus, type PostgresBusOptions, resolvePostgresBusOptions } from './bus/bus.ts'
export { createDatabase } from './database/create_database.ts'
export { type DatabaseOptions, resolveDatabaseOptions } from './database/options.ts'
export type { CopyPort, Database, PoolStats, Session, Transaction, TransactionOptions } from './database.ts'
export {
  type DatabaseErrorCode,
  hasSqlState,
  type MigrationErrorCode,
  type OutboxErrorCode,
  sqlStateOf,
} from './errors.ts'
export { createPostgresLeases, type PostgresLeasesOptions } from './leases.ts'
export { createListener, type ListenerOptions } from './listener.ts'
export type { Migration, MigrationModule } from './migration.ts'
export type { AppliedMigration } from './migration_plan.ts'
export {
  createMigrator,
  type MigrationMode,
  type MigrationStatus,
  type Migrator,
  type MigratorOptions,
  resolveMigratorOptions,
} from './migrator.ts'
export type { ConsumerOptions, OutboxHandler } from './outbox/consumer.ts'
export type { FeedPage, FeedPosition, OutboxFeed } from './outbox/feed.ts'
export type { OutboxMessage } from './outbox/message.ts'
export {
  type AppendOptions,
  type ConsumerStatus,
  createOutbox,
  type Outbox,
  type OutboxOptions,
  resolveOutboxOptions,
} from './outbox/outbox.ts'
export {
  type Queryable,
  type QueryOptions,
  type QueryResult,
  type SqlExecutor,
  type Statement,
  statement,
} from './queryable.ts'
export { DEFAULT_SCHEMA, quoteSchema } from './schema_name.ts'
export { type SettingDefinition, type SettingDefinitions, type SettingValue, setting } from './settings/definition.ts'
export {
  createSettings,
  resolveSettingsOptions,
  type SettingState,
  type Settings,
  type SettingsOptions,
  type SettingUpdate,
} from './settings/settings.ts'
export type { HistoryQuery, SettingAuthor, SettingChange } from './settings/store.ts'
export { tailwaterMigrations } from './tailwater_migrations.ts'

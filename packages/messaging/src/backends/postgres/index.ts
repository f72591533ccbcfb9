export { createPostgresInbox } from '../../inbox/postgres_inbox.ts'
export { messagingMigrations } from './migrations.ts'
export { createPostgresMessaging, type PostgresMessagingOptions } from './postgres_messaging.ts'
export { createPostgresRouting } from './postgres_routing.ts'

export { cacheMigrations } from './migrations.ts'
export { createPostgresBackend, type PostgresBackendOptions } from './postgres_backend.ts'

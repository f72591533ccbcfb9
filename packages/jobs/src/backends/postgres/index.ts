export { createPostgresBackend, type PostgresBackendOptions } from './postgres_backend.ts'

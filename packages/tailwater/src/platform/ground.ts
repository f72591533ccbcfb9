import { join } from 'node:path'
import { cacheMigrations } from '@tailwater/cache/postgres'
import type { LeaseStore } from '@tailwater/core'
import { dashboardMigrations } from '@tailwater/dashboard'
import { jobsMigrations } from '@tailwater/jobs'
import { messagingMigrations } from '@tailwater/messaging/postgres'
import {
  createDatabase,
  createMigrator,
  createOutbox,
  createPostgresBus,
  createPostgresLeases,
  type Database,
  type MigrationModule,
  type Migrator,
  type Outbox,
  type PostgresBus,
  tailwaterMigrations,
} from '@tailwater/postgres'
import { createEmbeddedPostgres, type EmbeddedPostgres } from '@tailwater/postgres/embedded'
import { createRedis, type Redis } from '@tailwater/redis'
import type { ResolvedConfig } from '../config.ts'

/** What everything else stands on. */
export interface Ground {
  database: Database
  leases: LeaseStore
  outbox: Outbox
  bus: PostgresBus
  redis: Redis | undefined
  /** The server in the data folder, when there is no other. */
  embedded: EmbeddedPostgres | undefined
  /** Tailwater's own tables first, the application's after them. */
  migrators: readonly Migrator[]
}

/** Tells a person what the start is busy with. */
export type Progress = (line: string) => void

/** Tailwater's own tables, in the order in which they depend on each other. */
const platformModules: readonly MigrationModule[] = [
  tailwaterMigrations,
  jobsMigrations,
  dashboardMigrations,
  cacheMigrations,
  messagingMigrations,
]

/**
 * Finds the database, and brings the embedded server up when there is no other: only then is its address known.
 * Whoever calls this stops the embedded server.
 */
export async function openGround(config: ResolvedConfig, progress: Progress): Promise<Ground> {
  const embedded = config.isEmbedded ? await startEmbedded(config, progress) : undefined
  try {
    return groundOn(config, embedded)
  } catch (error) {
    await embedded?.stop()
    throw error
  }
}

function groundOn(config: ResolvedConfig, embedded: EmbeddedPostgres | undefined): Ground {
  const { url, directUrl, replicaUrl, pooler, min, max } = config.database
  const database = createDatabase({
    url: embedded ? embedded.server.localUrl : url!,
    applicationName: config.name,
    pooler,
    min,
    max,
    ...(directUrl ? { directUrl } : {}),
    ...(replicaUrl ? { replicaUrl } : {}),
  })
  const redis = config.redisUrl
    ? createRedis({ url: config.redisUrl, name: config.name, clock: config.clock })
    : undefined
  return { database, embedded, redis, migrators: migratorsOf(config, database), ...sharing(config, database) }
}

/** What processes tell each other through the database. */
function sharing({ schema, clock }: ResolvedConfig, database: Database): Pick<Ground, 'leases' | 'outbox' | 'bus'> {
  const leases = createPostgresLeases({ database, schema })
  const outbox = createOutbox({ database, schema, leases, clock })
  return { leases, outbox, bus: createPostgresBus({ outbox, clock }) }
}

async function startEmbedded(config: ResolvedConfig, progress: Progress): Promise<EmbeddedPostgres> {
  const isRefused = config.environment === 'production' && config.database.embeddedInProduction === 'refuse'
  const embedded = createEmbeddedPostgres({
    dataDir: join(config.dataDir, 'postgres'),
    clock: config.clock,
    production: isRefused ? 'refuse' : 'allow',
    onProgress: (step) => progress(`${EMBEDDED_STEPS[step]} …`),
  })
  await embedded.start()
  return embedded
}

const EMBEDDED_STEPS = {
  initialising: 'Setting PostgreSQL up in the data folder',
  starting: 'Starting PostgreSQL',
  recovering: 'PostgreSQL recovers from its last stop',
  adopting: 'Taking over the PostgreSQL that runs already',
  'stopping-orphan': 'Stopping a PostgreSQL that was left behind',
}

function migratorsOf(config: ResolvedConfig, database: Database): Migrator[] {
  const { application, clock, migrations: mode } = config
  const own = createMigrator({ database, schema: config.schema, modules: platformModules, mode, clock })
  return application ? [own, createMigrator({ database, ...application, mode, clock })] : [own]
}

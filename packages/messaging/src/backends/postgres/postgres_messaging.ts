import { type Bus, type Clock, type Duration, type Service, systemClock } from '@tailwater/core'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createOutbox, createPostgresBus, type Database, DEFAULT_SCHEMA } from '@tailwater/postgres'
import type { MessagingBackend } from '../../backend.ts'
import { createJobsMessaging } from '../jobs/jobs_messaging.ts'
import { createPostgresRouting } from './postgres_routing.ts'

/** Messages in PostgreSQL. */
export interface PostgresMessagingOptions {
  /** Started and stopped by whoever made it. */
  database: Database
  /** Schema to which `tailwaterMigrations`, `jobsMigrations` and `messagingMigrations` were applied. @default 'tailwater' */
  schema?: string
  /** What broadcasts and replies go over; running while this is. @default a bus in the same schema */
  bus?: Bus
  /** After this time without a sign of life a consumer is taken for dead. @default '30s' */
  lease?: Duration
  /** Longest time between two looks at the store when nothing wakes a consumer. @default '5s' */
  pollInterval?: Duration
  clock?: Clock
}

/**
 * Messages as jobs in PostgreSQL, broadcasts and replies over its bus.
 *
 * @example
 * const messaging = createMessaging({ backend: createPostgresMessaging({ database }) })
 */
export function createPostgresMessaging(options: PostgresMessagingOptions): MessagingBackend {
  const { database, schema = DEFAULT_SCHEMA, clock = systemClock, bus, ...rest } = options
  const own = bus ? { bus, services: [] } : ownBus(database, schema, clock)
  return createJobsMessaging({
    ...rest,
    ...own,
    store: createPostgresBackend({ database, schema, clock }),
    routing: createPostgresRouting({ database, schema }),
    clock,
  })
}

function ownBus(database: Database, schema: string, clock: Clock): { bus: Bus; services: Service[] } {
  const outbox = createOutbox({ database, schema, clock })
  const bus = createPostgresBus({ outbox, clock })
  return { bus, services: [outbox, bus] }
}

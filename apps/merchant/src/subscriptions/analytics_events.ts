import type { Clock } from '@tailwater/core'
import type { Jobs, Kind } from '@tailwater/jobs'
import type { ReceivedMessage, Subscription } from '@tailwater/messaging'
import { type Database, type Migration, statement } from '@tailwater/postgres'
import type { ShopEvents } from '../events/shop_events.ts'

/** Everything that has happened, for questions that nobody has asked yet. */
export const analyticsEventsMigration: Migration = {
  version: 8,
  name: 'analytics events',
  up: (schema) => `
    CREATE TABLE ${schema}.analytics_events (
      -- Of the message: one that comes twice is kept once.
      id text PRIMARY KEY,
      topic text NOT NULL,
      merchant_id bigint NOT NULL,
      body jsonb NOT NULL,
      happened_at timestamptz NOT NULL,
      stored_at timestamptz NOT NULL DEFAULT now()
    );
    CREATE INDEX analytics_events_by_time ON ${schema}.analytics_events USING brin (happened_at);`,
}

/** The statements of what has happened. @param schema quoted and ready to interpolate */
export function analyticsEventStatements(schema: string) {
  return {
    // analytics_events_pkey
    insert: statement(
      'merchant_analytics_events_insert',
      `INSERT INTO ${schema}.analytics_events (id, topic, merchant_id, body, happened_at)
       SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::jsonb[], $5::timestamptz[])
       ON CONFLICT (id) DO NOTHING`,
    ),
    // analytics_events_by_time
    trim: statement(
      'merchant_analytics_events_trim',
      `DELETE FROM ${schema}.analytics_events WHERE happened_at < now() - interval '400 days'`,
    ),
  }
}

/** What keeping events is made of. */
export interface AnalyticsEventParts {
  database: Database
  events: ShopEvents
  clock: Clock
  statements: ReturnType<typeof analyticsEventStatements>
}

type Event = ReceivedMessage<{ merchantId: number }>

/** Events of one statement at most. */
const BATCH = 200

/**
 * Keeps every event, many by one statement: those that come while the database is busy with others are written together when it is done, and each message is acknowledged only then.
 * So nothing waits for a batch to fill, and the busier it is, the larger they are.
 */
export function subscribeToEverything(parts: AnalyticsEventParts): Subscription {
  const write = createBatchWriter(parts)
  return parts.events.exchange.subscribe<{ merchantId: number }>('analytics', '#', write, {
    concurrency: BATCH,
    prefetch: BATCH,
  })
}

/** The job that forgets events of the year before last: by then figures of them have been made, or nobody wanted any. */
export function defineEventTrimming(
  jobs: Jobs,
  { database, statements }: Pick<AnalyticsEventParts, 'database' | 'statements'>,
): Kind<null> {
  return jobs.define<null>({
    kind: 'analytics-trimming',
    queue: 'analytics',
    async run({ signal }) {
      await database.query(statements.trim, [], { signal })
    },
  })
}

/** Writes events together; each call resolves when its own is written. */
export function createBatchWriter({
  database,
  statements,
  clock,
}: AnalyticsEventParts): (event: Event) => Promise<void> {
  const waiting: { event: Event; done: PromiseWithResolvers<void> }[] = []
  let isWriting = false

  async function writeAll(): Promise<void> {
    isWriting = true
    // Those of the same tick, too.
    await Promise.resolve()
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH)
      try {
        await database.query(
          statements.insert,
          columnsOf(
            batch.map(({ event }) => event),
            clock,
          ),
        )
        for (const { done } of batch) done.resolve()
      } catch (error) {
        for (const { done } of batch) done.reject(error)
      }
    }
    isWriting = false
  }

  return (event) => {
    const done = Promise.withResolvers<void>()
    waiting.push({ event, done })
    if (!isWriting) void writeAll()
    return done.promise
  }
}

function columnsOf(events: readonly Event[], clock: Clock): unknown[] {
  return [
    events.map(({ id }) => id),
    events.map(({ topic }) => topic),
    events.map(({ body }) => body.merchantId),
    events.map(({ body }) => JSON.stringify(body)),
    events.map(({ publishedAt }) => new Date(publishedAt ?? clock.now())),
  ]
}

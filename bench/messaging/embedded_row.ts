import { jobsMigrations } from '@tailwater/jobs'
import { createMessaging } from '@tailwater/messaging'
import { messagingMigrations } from '@tailwater/messaging/postgres'
import { createDatabase, createMigrator, type Database, tailwaterMigrations } from '@tailwater/postgres'
import { startTestPostgres } from '@tailwater/postgres/testing'
import type { BenchOptions } from '../harness/bench.ts'
import { formatNumber } from '../harness/report.ts'
import { runPairs } from '../harness/rounds.ts'
import type { Measured } from '../harness/row.ts'
import { callConcurrently, payload, perSecond } from '../jobs/payload.ts'
import { freshSchema } from '../jobs/postgres/postgres_stage.ts'

const ROUNDS = 5
const CALLERS = 200
/** Messages of a round, by side: what takes each a second or more. */
const OURS = 20_000
const THEIRS = 3_000

/** What is used of pg-boss, which is installed with the benchmarks only. */
interface Boss {
  on(event: 'error', report: (error: Error) => void): unknown
  start(): Promise<unknown>
  stop(options: object): Promise<unknown>
  createQueue(name: string): Promise<unknown>
  subscribe(event: string, queue: string): Promise<unknown>
  publish(event: string, data: object): Promise<unknown>
  work(queue: string, options: object, run: (jobs: unknown[]) => Promise<unknown>): Promise<unknown>
}

interface Ground {
  url: string
  database: Database
}

/** Measures `messaging embedded`: published one by one and handled at once, with one subscription and with three. */
export async function measureEmbedded({ rounds = ROUNDS, quick, say }: BenchOptions): Promise<Measured[]> {
  const server = await startTestPostgres()
  const database = createDatabase({ url: server.url, min: 4, max: 10 })
  await database.start()
  const ground = { url: server.url, database }
  const sized = (count: number) => (quick ? Math.ceil(count / 10) : count)
  try {
    const rows: Measured[] = []
    for (const subscriptions of [1, 3]) {
      const { ours, theirs } = await runPairs(rounds, {
        ours: () => measureOurs(ground, subscriptions, sized(OURS)),
        theirs: () => measureBoss(ground, subscriptions, sized(THEIRS)),
      })
      const metric = `messages/s, ${CALLERS} concurrent single publishes, handled at once by ${subscriptions} subscription${subscriptions > 1 ? 's' : ''}`
      say(
        `messaging embedded, ${metric}: ours ${ours.map(formatNumber).join(' ')}, pg-boss ${theirs.map(formatNumber).join(' ')}`,
      )
      rows.push(rowOf(metric, ours, theirs))
    }
    return rows
  } finally {
    await database.stop()
    await server.close()
  }
}

function rowOf(metric: string, ours: number[], theirs: number[]): Measured {
  return {
    row: {
      row: 'messaging embedded',
      peer: 'pg-boss',
      metric,
      unit: '/s',
      better: 'higher',
      ours,
      theirs,
      settings: {
        ours: 'createMessaging({ database }), a topic exchange, 200 handlers a subscription; PostgreSQL 18, fsync and synchronous_commit on',
        theirs:
          'publish and subscribe, work with batchSize 1000, localConcurrency 2, burstWhenBatchFull; the same PostgreSQL',
      },
      checked: 'every publish was confirmed, and every subscription handled as many',
    },
    target: { kind: 'ratio', atLeast: 1.5 },
  }
}

/** Counts down what is to be handled. */
function countdown(count: number): { over: Promise<void>; handled(some: number): void } {
  let left = count
  let end = () => {}
  const over = new Promise<void>((resolve) => {
    end = resolve
  })
  return {
    over,
    handled(some) {
      left -= some
      if (left === 0) end()
    },
  }
}

async function measureOurs({ database }: Ground, subscriptions: number, count: number): Promise<number> {
  const schema = freshSchema('messages')
  await database.query(`CREATE SCHEMA ${schema}`)
  const modules = [tailwaterMigrations, jobsMigrations, messagingMigrations]
  await createMigrator({ database, schema, modules }).run()
  const messaging = createMessaging({ database, schema })
  const orders = messaging.exchange('orders')
  const { over, handled } = countdown(count * subscriptions)
  for (let at = 0; at < subscriptions; at++)
    orders.subscribe(`subscription-${at}`, 'order.*', () => handled(1), { concurrency: 200 })
  await messaging.start()
  const began = performance.now()
  await callConcurrently(count, CALLERS, () => orders.publish('order.placed', payload))
  await over
  const rate = perSecond(count, began)
  await messaging.stop()
  await database.query(`DROP SCHEMA ${schema} CASCADE`)
  return rate
}

async function measureBoss({ url, database }: Ground, subscriptions: number, count: number): Promise<number> {
  const name: string = 'pg-boss'
  const { PgBoss } = (await import(name)) as { PgBoss: new (options: object) => Boss }
  const schema = freshSchema('boss')
  const boss = new PgBoss({ connectionString: url, schema, max: 10 })
  boss.on('error', (error) => console.error('pg-boss', error.message))
  await boss.start()
  const { over, handled } = countdown(count * subscriptions)
  const options = { batchSize: 1_000, localConcurrency: 2, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 }
  for (let at = 0; at < subscriptions; at++) {
    await boss.createQueue(`subscription-${at}`)
    await boss.subscribe('order.placed', `subscription-${at}`)
    await boss.work(`subscription-${at}`, options, async (jobs) => handled(jobs.length))
  }
  const began = performance.now()
  await callConcurrently(count, CALLERS, () => boss.publish('order.placed', payload))
  await over
  const rate = perSecond(count, began)
  await boss.stop({ graceful: false })
  await database.query(`DROP SCHEMA ${schema} CASCADE`)
  return rate
}

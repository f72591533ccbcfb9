// What the blocks of the README and the examples of docstrings find around them, in a process that runs one of them. Environment: DATABASE_URL, REDIS_URL.
import { createKeyring } from '@tailwater/core'
import type { Jobs } from '@tailwater/jobs'
import * as engine from '@tailwater/jobs'
import * as opentelemetry from '@tailwater/jobs/opentelemetry'
import * as onPostgres from '@tailwater/jobs/postgres'
import * as onRedis from '@tailwater/jobs/redis'
import * as testing from '@tailwater/jobs/testing'
import { createDatabase, createMigrator, tailwaterMigrations } from '@tailwater/postgres'
import { createRedis } from '@tailwater/redis'
import pg from 'pg'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import * as z from 'zod'

const url = process.env['DATABASE_URL']!
const database = createDatabase({ url, min: 0, max: 5 })
await database.start()
await createMigrator({ database, modules: [tailwaterMigrations, engine.jobsMigrations] }).run()
await database.query('CREATE TABLE IF NOT EXISTS orders (id integer)')
const redis = createRedis({ url: process.env['REDIS_URL']! })
await redis.start()
const client = new pg.Client({ connectionString: url })
await client.connect()
await client.query('BEGIN')

const send = async (_orderId: number, _options?: object) => 'sent'
const jobs = engine.createJobs({
  database,
  keyring: createKeyring(['a secret of the tests, long enough']),
  queues: { email: { concurrency: 0 }, documents: { concurrency: 0 } },
  concurrency: 0,
})
const define = <Payload>(kind: string, to: Jobs = jobs) => to.define<Payload>({ kind, run: () => 'done' })
await jobs.start()

const invoice = define<{ orderId?: number; id?: number }>('bill')

/** Names by which pages and docstrings speak of what an application has. */
const names = {
  ...{ ...engine, ...onPostgres, ...onRedis, ...opentelemetry, ...testing },
  ...{ database, jobs, redis, send, z, Type, Compile, invoice, tx: client },
  receipt: jobs.define<{ orderId: number }>({
    kind: 'receipt',
    queue: 'email',
    run: ({ payload }) => send(payload.orderId),
  }),
  ...{ report: define('report'), sales: define('sales'), stock: define('stock'), summary: define('summary') },
  ...{ extract: define('extract'), transform: define('transform'), load: define('load') },
  ...{ pulse: define('pulse'), launch: define('launch') },
  ...{ month: '2031-01', id: 7, cart: { orderId: 7 }, orders: [1, 2, 3] },
  invoices: [1, 2].map((orderId) => invoice.job({ orderId })),
  createApp(given: { jobs: Jobs }) {
    const receipt = define<{ orderId: number }>('receipt', given.jobs)
    return { checkout: ({ orderId }: { orderId: number }) => receipt.enqueue({ orderId }) }
  },
}
Object.assign(globalThis, names)

import { EventEmitter, once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cache, createCache } from '@tailwater/cache'
import {
  type Clock,
  createKeyring,
  type FileStore,
  httpError,
  listen,
  type Mail,
  type Mailer,
  startAll,
  stopAll,
  systemClock,
} from '@tailwater/core'
import { fastifyDefaults, fastifyRoutes } from '@tailwater/http/fastify'
import { createJobs, type Jobs, type JobsBackend, type JobView, jobsMigrations } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createRedisBackend } from '@tailwater/jobs/redis'
import { createMessaging, type Messaging, type MessagingBackend } from '@tailwater/messaging'
import { createPostgresMessaging, messagingMigrations } from '@tailwater/messaging/postgres'
import {
  createDatabase,
  createOutbox,
  createPostgresBus,
  createPostgresLeases,
  type Database,
  quoteSchema,
  tailwaterMigrations,
} from '@tailwater/postgres'
import { createTestSchema } from '@tailwater/postgres/testing'
import { createRedis } from '@tailwater/redis'
import { startRedis } from '@tailwater/redis/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import { createDiskFileStore } from 'tailwater'
import { accountStatements } from '../../src/accounts/account_statements.ts'
import { createApiKey } from '../../src/accounts/api_key.ts'
import { createShopCaches } from '../../src/caches/shop_caches.ts'
import { merchantMigrations } from '../../src/database/migrations.ts'
import type { MarketplaceAccount } from '../../src/marketplaces/sync/connection.ts'
import { createMerchant, type Merchant } from '../../src/merchant.ts'
import type { PaymentProvider } from '../../src/payments/payment_provider.ts'
import type { QualityProvider } from '../../src/quality/quality_provider.ts'
import { queuePolicies } from '../../src/queues/policies.ts'
import { createFileSmsProvider } from '../../src/sms/file_sms_provider.ts'
import type { SmsProvider } from '../../src/sms/sms_provider.ts'

/** The administrator's token in tests. */
export const ADMIN_TOKEN = 'admin-of-the-tests'

/** A reply, its body read as JSON where it is. */
export interface Answer {
  status: number
  headers: Record<string, unknown>
  // biome-ignore lint/suspicious/noExplicitAny: each test knows the body it asks for
  body: any
}

/** One request. */
export interface Asked {
  token?: string
  body?: unknown
  headers?: Record<string, string>
}

/** The whole application on a schema of its own. */
export interface MerchantApp {
  app: FastifyInstance
  database: Database
  schema: string
  merchant: Merchant
  cache: Cache
  jobs: Jobs
  /** Not started: until a test starts it, what happens is only written down. */
  messaging: Messaging
  /** In a folder of the test's own; short messages are in its `outbox/`. */
  files: FileStore
  /** Jobs of a kind, as soon as there are any: to Redis those of a transaction come a moment after its commit. */
  enqueued(kind: string): Promise<JobView[]>
  mails: Mail[]
  /** The first mail that fits, as soon as it is sent. */
  mailTo(fits: (mail: Mail) => boolean): Promise<Mail>
  /** When the caches have been warmed, once the services are started. */
  warmed: Promise<void>
  close(): Promise<void>
  ask(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, asked?: Asked): Promise<Answer>
  /** Rows of a statement in which `$schema` stands for the schema. */
  rows<Row = Record<string, unknown>>(text: string, values?: unknown[]): Promise<Row[]>
}

/** What a test may set. */
export interface MerchantAppOptions {
  payments?: PaymentProvider
  /** @default files in the outbox */
  sms?: SmsProvider
  /** @default rules */
  quality?: QualityProvider
  /** Sends besides what `mails` keeps. */
  mailer?: Mailer
  /** @default systemClock */
  clock?: Clock
  /** Carries messages. @default jobs in the same schema */
  carrier?: MessagingBackend
  marketplaces?: readonly MarketplaceAccount[]
  /** Milliseconds between two rounds. @default an hour, so that none comes of itself */
  marketplaceInterval?: number
  /** `off` for tests that change rows behind the application's back. @default 'on' */
  cache?: 'on' | 'off'
  /** Put before the database, to watch it. */
  watch?(database: Database): Database
}

/** Starts the application. */
export async function startMerchantApp({
  clock = systemClock,
  cache = 'on',
  watch,
  mailer,
  sms,
  carrier,
  marketplaceInterval = 3_600_000,
  ...providers
}: MerchantAppOptions = {}): Promise<MerchantApp> {
  const { url, schema, close } = await createTestSchema({
    modules: [tailwaterMigrations, jobsMigrations, messagingMigrations, merchantMigrations],
  })
  const own = createDatabase({ url, min: 0, max: 20, acquireTimeout: '60s' })
  await own.start()
  const database = watch ? watch(own) : own
  const folder = mkdtempSync(join(tmpdir(), 'tailwater-merchant-'))
  const files = createDiskFileStore(folder)
  const mails: Mail[] = []
  const sent = new EventEmitter<{ mail: [Mail] }>()
  const kept = createKept(own, schema, clock)
  await startAll(kept.services)
  // In real time, whatever a test does to the clock of the shop.
  const outbox = createOutbox({ database: own, schema })
  await outbox.start()
  const backend = carrier ?? createPostgresMessaging({ database: own, schema })
  const messaging = createMessaging({ backend, database: own, schema, outbox })
  const store = await openJobsStore(own, schema)
  const jobs = createJobs({ backend: store.backend, queues: queuePolicies, pollInterval: 50 })
  const warm = Promise.withResolvers<void>()
  const merchant = createMerchant({
    database,
    schema,
    keyring: createKeyring(['a secret of the tests, long enough']),
    clock,
    ...(cache === 'on' && { caches: createShopCaches(kept.cache) }),
    onWarming: ({ what, done, of }) => void (what === 'pages' && done === of && warm.resolve()),
    jobs,
    messaging,
    marketplaceInterval,
    files,
    sms: sms ?? createFileSmsProvider(files),
    mailer: {
      async send(mail, options) {
        await mailer?.send(mail, options)
        mails.push(mail)
        sent.emit('mail', mail)
        return { messageId: mail.messageId ?? '' }
      },
      close: async () => {},
    },
    verifyAdmin: async (token) => (token === ADMIN_TOKEN ? { id: 'admin' } : undefined),
    ...providers,
  })
  const app = Fastify(fastifyDefaults())
  const unlisten = listen(httpError, ({ status, method, path, error }) => {
    if (status === 500) console.error(method, path, error)
  })
  await app.register(fastifyRoutes(merchant.routes, { basePath: '/api', checkResponses: true }))
  return {
    app,
    async close() {
      await app.close()
      unlisten()
      await messaging.stop()
      await outbox.stop()
      await jobs.stop()
      await stopAll(kept.services)
      await store.close()
      await own.stop()
      await close()
      rmSync(folder, { recursive: true, force: true })
    },
    files,
    database,
    schema,
    merchant,
    cache: kept.cache,
    warmed: warm.promise,
    jobs,
    messaging,
    mails,
    async enqueued(kind) {
      for (;;) {
        const { jobs: found } = await jobs.inspect.list({ kind })
        if (found.length > 0) return found
      }
    },
    async mailTo(fits) {
      for (;;) {
        const mail = mails.find(fits)
        if (mail) return mail
        await once(sent, 'mail')
      }
    },
    ask: (method, path, asked) => ask(app, method, path, asked),
    async rows<Row>(text: string, values: unknown[] = []) {
      const { rows } = await own.query<Row>(text.replaceAll('$schema', schema), values)
      return rows
    },
  }
}

/** A cache as a platform has it, over PostgreSQL alone. */
function createKept(database: Database, schema: string, clock: Clock) {
  const leases = createPostgresLeases({ database, schema })
  const outbox = createOutbox({ database, schema, leases, clock })
  const bus = createPostgresBus({ outbox, clock })
  const cache = createCache({ bus, outbox, clock, environment: 'test' })
  return { cache, services: [outbox, bus, cache] }
}

/** Where the jobs are kept: in PostgreSQL, or as on_redis.test.ts says. */
async function openJobsStore(
  database: Database,
  schema: string,
): Promise<{ backend: JobsBackend; close(): Promise<void> }> {
  if (process.env['TEST_JOBS_STORE'] !== 'redis')
    return { backend: createPostgresBackend({ database, schema }), close: async () => {} }
  const server = await startRedis()
  const redis = createRedis({ url: server.url })
  // In real time, whatever a test does to the clock of the shop.
  const outbox = createOutbox({ database, schema })
  await startAll([redis, outbox])
  const backend = createRedisBackend({ redis, outbox })
  // Relays, though the engine has not started.
  await backend.start()
  return {
    backend,
    async close() {
      await stopAll([redis, outbox])
      await server.stop()
    },
  }
}

async function ask(app: FastifyInstance, method: string, path: string, { token, body, headers }: Asked = {}) {
  const reply = await app.inject({
    method: method as 'GET',
    url: path,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
    ...(body !== undefined && { payload: body as object }),
  })
  const isJson = String(reply.headers['content-type']).includes('json')
  const read = isJson ? reply.json() : reply.body
  return { status: reply.statusCode, headers: reply.headers, body: reply.body === '' ? undefined : read }
}

/** A merchant with an API key. */
export interface TestMerchant {
  id: number
  token: string
}

/** Adds a merchant. */
export async function addMerchant({ database, schema }: MerchantApp, slug: string): Promise<TestMerchant> {
  const { rows } = await database.query<{ id: number }>(
    `INSERT INTO ${schema}.merchants (slug, name) VALUES ($1, initcap($1)) RETURNING id::float8 AS id`,
    [slug],
  )
  const { id } = rows[0]!
  const made = await createApiKey(database, accountStatements(quoteSchema(schema)), id, 'test')
  return { id, token: made!.key }
}

/** Adds a category below another. */
export async function addCategory({ database, schema }: MerchantApp, slug: string, parent?: number): Promise<number> {
  const { rows } = await database.query<{ id: number }>(
    `WITH next AS (SELECT nextval(pg_get_serial_sequence('${schema}.categories', 'id')) AS id)
     INSERT INTO ${schema}.categories (id, parent_id, slug, name, path)
     SELECT next.id, $2::bigint, $1, initcap($1), coalesce(parent.path, '{}') || next.id
     FROM next LEFT JOIN ${schema}.categories parent ON parent.id = $2 RETURNING id::float8 AS id`,
    [slug, parent ?? null],
  )
  return rows[0]!.id
}

/** Adds a customer. */
export async function addCustomer(
  { database, schema }: MerchantApp,
  merchantId: number,
  email: string,
): Promise<number> {
  const { rows } = await database.query<{ id: number }>(
    `INSERT INTO ${schema}.customers (merchant_id, email, name, country) VALUES ($1, $2, 'Ada', 'United Kingdom')
     RETURNING id::float8 AS id`,
    [merchantId, email],
  )
  return rows[0]!.id
}

/** A merchant with a category and a customer, in an application of its own. */
export interface SmallShop {
  app: MerchantApp
  merchant: TestMerchant
  categoryId: number
  customerId: number
}

/** Starts the application with a shop that can sell. */
export async function startSmallShop(options: MerchantAppOptions = {}): Promise<SmallShop> {
  const app = await startMerchantApp(options)
  const merchant = await addMerchant(app, 'northern')
  const categoryId = await addCategory(app, 'candles')
  const customerId = await addCustomer(app, merchant.id, 'ada@example.com')
  return { app, merchant, categoryId, customerId }
}

/** A product of a test. */
export interface TestProduct {
  merchantId: number
  categoryId: number
  sku: string
  title?: string
  price?: number
  status?: string
  onHand?: number
  createdAt?: string
}

/** Adds a product with its stock. */
export async function addProduct({ database, schema }: MerchantApp, product: TestProduct): Promise<number> {
  const { merchantId, categoryId, sku, title = sku, price = 10, status = 'active', onHand = 100, createdAt } = product
  const { rows } = await database.query<{ id: number }>(
    `WITH product AS (
       INSERT INTO ${schema}.products (merchant_id, category_id, sku, title, price, status, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::timestamptz, clock_timestamp())) RETURNING id
     ), stock AS (INSERT INTO ${schema}.stock (product_id, on_hand) SELECT id, $8 FROM product)
     SELECT id::float8 AS id FROM product`,
    [merchantId, categoryId, sku, title, price, status, createdAt ?? null, onHand],
  )
  return rows[0]!.id
}

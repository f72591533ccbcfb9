import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  drizzleTransaction,
  knexTransaction,
  kyselyTransaction,
  postgresJsTransaction,
  prismaTransaction,
  sequelizeTransaction,
  typeOrmTransaction,
} from '@tailwater/jobs/postgres'
import type { Queryable, SqlExecutor } from '@tailwater/postgres'
import { sql as drizzleSql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { drizzle as drizzlePostgresJs } from 'drizzle-orm/postgres-js'
import knex from 'knex'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import postgres from 'postgres'
import { Sequelize } from 'sequelize'
import { DataSource } from 'typeorm'
import { type Ground, newJob, openGround } from './ground.ts'
import { createPrisma } from './prisma_client.ts'

let ground: Ground
before(async () => {
  ground = await openGround()
})
after(() => ground.close())

/** Something that runs a body in a transaction of its library. */
interface Library {
  run(body: (tx: SqlExecutor) => Promise<void>): Promise<unknown>
  close(): Promise<unknown>
}

const libraries: Record<string, (url: string) => Promise<Library>> = {
  async pg(url) {
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    return {
      async run(body) {
        const client = await pool.connect()
        try {
          await client.query('BEGIN')
          await body(client)
          await client.query('COMMIT')
        } catch (error) {
          await client.query('ROLLBACK')
          throw error
        } finally {
          client.release()
        }
      },
      close: () => pool.end(),
    }
  },
  async 'postgres.js'(url) {
    const sql = postgres(url, { max: 1 })
    return {
      run: (body) => sql.begin((tx) => body(postgresJsTransaction(tx))),
      close: () => sql.end(),
    }
  },
  async Kysely(url) {
    const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) })
    return {
      run: (body) => db.transaction().execute((trx) => body(kyselyTransaction(trx))),
      close: () => db.destroy(),
    }
  },
  async 'Drizzle over pg'(url) {
    const pool = new pg.Pool({ connectionString: url, max: 1 })
    return {
      run: (body) => drizzle(pool).transaction((tx) => body(drizzleTransaction(tx, drizzleSql))),
      close: () => pool.end(),
    }
  },
  async 'Drizzle over postgres.js'(url) {
    const sql = postgres(url, { max: 1 })
    return {
      run: (body) => drizzlePostgresJs(sql).transaction((tx) => body(drizzleTransaction(tx, drizzleSql))),
      close: () => sql.end(),
    }
  },
  async Knex(url) {
    const db = knex({ client: 'pg', connection: url })
    return {
      run: (body) => db.transaction((trx) => body(knexTransaction(trx))),
      close: () => db.destroy(),
    }
  },
  async Prisma(url) {
    const prisma = createPrisma(url)
    return {
      run: (body) => prisma.$transaction((tx) => body(prismaTransaction(tx))),
      close: () => prisma.$disconnect(),
    }
  },
  async TypeORM(url) {
    const source = await new DataSource({ type: 'postgres', url }).initialize()
    return {
      run: (body) => source.transaction((manager) => body(typeOrmTransaction(manager))),
      close: () => source.destroy(),
    }
  },
  async Sequelize(url) {
    const sequelize = new Sequelize(url, { logging: false })
    return {
      run: (body) => sequelize.transaction((transaction) => body(sequelizeTransaction(sequelize, transaction))),
      close: () => sequelize.close(),
    }
  },
}

/** Everything that a job can have, and texts that a library could misread. */
const fullJob = (library: string) =>
  newJob({
    payload: JSON.stringify({ text: `"quoted", {braced}, 'single', $1, ?, :name, \\ and ☃`, library }),
    runAt: Date.parse('2040-01-01T00:00:00Z'),
    key: 'a "key", with {all}',
    tags: ['one, two', 'NULL', '\\'],
    timeout: 5_000,
    requestId: 'request-1',
    traceparent: '00-1-2-01',
    unique: { key: `unique to ${library}`, ttl: 60_000 },
  })

for (const [name, open] of Object.entries(libraries))
  describe(`a transaction of ${name}`, () => {
    let library: Library
    before(async () => {
      library = await open(ground.url)
    })
    after(() => library.close())

    it('stores jobs if it commits, as they were given', async () => {
      const full = fullJob(name)
      const plain = newJob()
      await library.run(async (tx) => {
        const stored = await ground.backend.jobs.add([full, plain], tx)
        assert.deepEqual(
          stored.map(({ outcome }) => outcome),
          ['stored', 'stored'],
        )
        assert.equal(await ground.backend.inspect.get(full.id), undefined, 'seen before the commit')
      })
      const job = (await ground.backend.inspect.get(full.id))!
      for (const name of ['payload', 'runAt', 'key', 'tags', 'timeout', 'requestId', 'traceparent'] as const)
        assert.deepEqual(job[name], full[name], `${name} by ${name}`)
      assert.equal((await ground.backend.inspect.get(plain.id))!.key, undefined)
    })

    it('hears of a duplicate, which undoes nothing', async () => {
      const [first, second] = [fullJob(`${name} again`), fullJob(`${name} again`)]
      await ground.backend.jobs.add([first])
      const other = newJob()
      await library.run(async (tx) => {
        assert.deepEqual(await ground.backend.jobs.add([second, other], tx), [
          { id: first.id, outcome: 'duplicate' },
          { id: other.id, outcome: 'stored' },
        ])
      })
      assert.equal((await ground.backend.inspect.get(other.id))?.state, 'available')
    })

    it('leaves nothing behind if it rolls back, its unique key included', async () => {
      const job = fullJob(`${name} in vain`)
      const counts = await ground.backend.inspect.counts()
      const failed = library.run(async (tx) => {
        await ground.backend.jobs.add([job, newJob({ children: [newJob()] })], tx)
        throw new Error('no')
      })
      await assert.rejects(failed, /no/)
      assert.equal(await ground.backend.inspect.get(job.id), undefined)
      assert.deepEqual(await ground.backend.inspect.counts(), counts)
      assert.deepEqual(await ground.backend.jobs.add([{ ...job }]), [{ id: job.id, outcome: 'stored' }])
    })
  })

it('our own transaction wakes whoever listens after its commit, and not after a rollback', async () => {
  const heard: string[] = []
  const end = await ground.backend.jobs.onAvailable((queue) => heard.push(queue))
  const failed = ground.database.transaction(async (tx) => {
    await ground.backend.jobs.add([newJob({ queue: 'undone' })], tx)
    throw new Error('no')
  })
  await assert.rejects(failed, /no/)
  await ground.database.transaction(async (tx) => {
    await ground.backend.jobs.add([newJob({ queue: 'done' })], tx)
    assert.ok(!heard.includes('done'))
  })
  await end()
  assert.ok(heard.includes('done'))
  assert.ok(!heard.includes('undone'))
})

it('two transactions that want one unique key store one job', async () => {
  const unique = { key: 'wanted by two' }
  const [first, second] = [newJob({ unique }), newJob({ unique })]
  let other: Promise<unknown> | undefined
  await ground.database.transaction(async (tx) => {
    await ground.backend.jobs.add([first], tx)
    other = ground.backend.jobs.add([second])
    await someoneWaits(tx)
  })
  assert.deepEqual(await other, [{ id: first.id, outcome: 'duplicate' }])
})

/** Resolves when another session waits for a lock that this one holds. */
async function someoneWaits(tx: Queryable): Promise<void> {
  for (;;) {
    const { rows } = await tx.query('SELECT FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)) LIMIT 1')
    if (rows.length > 0) return
  }
}

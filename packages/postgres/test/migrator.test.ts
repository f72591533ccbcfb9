import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { databaseMigration, hasCode, listen, type MigrationEvent, type NoticeEvent, notice } from '@tailwater/core'
import {
  createDatabase,
  createMigrator,
  type Migration,
  type MigrationModule,
  type MigratorOptions,
  tailwaterMigrations,
} from '@tailwater/postgres'
import { createTestSchema, setTestTime, startPgBouncer, type TestSchema } from '@tailwater/postgres/testing'

const shop = (...migrations: Migration[]): MigrationModule => ({ module: 'shop', migrations })
const goods: Migration = { version: 1, name: 'goods', up: (s) => `CREATE TABLE ${s}.goods (id bigint PRIMARY KEY)` }
const prices: Migration = { version: 2, name: 'prices', up: (s) => `ALTER TABLE ${s}.goods ADD price numeric` }

describe('migrations', () => {
  let home: TestSchema
  before(async () => {
    home = await createTestSchema()
  })
  after(() => home.close())

  /** A migrator on an empty schema of its own. */
  async function fresh(options: Partial<MigratorOptions> = {}) {
    const own = await createTestSchema()
    after(own.close)
    const base = { database: own.database, schema: own.schema, modules: [shop(goods)] }
    return {
      ...own,
      migratorWith: (more: Partial<MigratorOptions>) => createMigrator({ ...base, ...options, ...more }),
    }
  }
  async function columns({ database, schema }: TestSchema, table: string): Promise<string[]> {
    const { rows } = await database.query<{ name: string }>(
      'SELECT column_name AS name FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY 1',
      [schema, table],
    )
    return rows.map((row) => row.name)
  }

  it('are applied in order, each once, and announced', async () => {
    const events: MigrationEvent[] = []
    const stop = listen(databaseMigration, (event) => events.push(event))
    const own = await fresh({ modules: [tailwaterMigrations, shop(goods, prices)] })
    const applied = await own.migratorWith({}).run()
    stop()
    assert.deepEqual(await columns(own, 'goods'), ['id', 'price'])
    assert.deepEqual(
      applied.map(({ module, version }) => `${module}/${version}`),
      [...tailwaterMigrations.migrations.map(({ version }) => `tailwater/${version}`), 'shop/1', 'shop/2'],
    )
    assert.deepEqual(
      events.filter(({ module }) => module === 'shop').map(({ version, name }) => [version, name]),
      [
        [1, 'goods'],
        [2, 'prices'],
      ],
    )
    assert.deepEqual(await own.migratorWith({}).run(), [])
  })

  it('make the schema, under any name that needs quotes', async () => {
    const name = `${home.schema}-Quoted`
    const migrator = createMigrator({ database: home.database, schema: name, modules: [shop(goods)] })
    await migrator.run()
    await home.database.query(`SELECT id FROM "${name}".goods`)
    await home.database.query(`DROP SCHEMA "${name}" CASCADE`)
  })

  it('refuse a schema name that could leave its quotes or is reserved', () => {
    for (const schema of ['', 'a"; DROP', 'pg_toast', '1a', 'x'.repeat(41), 'ünï'])
      assert.throws(
        () => createMigrator({ database: home.database, schema, modules: [] }),
        (error) => hasCode(error, 'E_OPTIONS'),
      )
  })

  it('of several processes starting together are each applied by one of them', async () => {
    const own = await fresh({ modules: [shop(goods, prices)] })
    const runs = await Promise.all(Array.from({ length: 5 }, () => own.migratorWith({}).run()))
    assert.deepEqual(
      runs
        .flat()
        .map(({ version }) => version)
        .sort(),
      [1, 2],
    )
  })

  it('of two processes starting together behind PgBouncer are each applied by one of them', async () => {
    const own = await fresh()
    const bouncer = await startPgBouncer({ target: own.url, poolSize: 3 })
    const databases = [0, 1].map(() => createDatabase({ url: bouncer.url, pooler: 'transaction', min: 1, max: 3 }))
    for (const database of databases) await database.start()
    const modules = [tailwaterMigrations, shop(goods, prices)]
    const runs = await Promise.all(databases.map((database) => own.migratorWith({ database, modules }).run()))
    for (const database of databases) await database.stop()
    await bouncer.close()
    assert.equal(runs.flat().length, tailwaterMigrations.migrations.length + 2)
    assert.deepEqual((await own.migratorWith({ modules }).status()).pending, [])
  })

  it('that fail leave nothing half done, and those before them stay', async () => {
    const own = await fresh()
    const broken: Migration = {
      version: 2,
      name: 'broken',
      up: (s) => `CREATE TABLE ${s}.half (id int); ALTER TABLE ${s}.nowhere ADD x int`,
    }
    const migrator = own.migratorWith({ modules: [shop(goods, broken)] })
    await assert.rejects(
      migrator.run(),
      (error) => hasCode(error, 'E_MIGRATION_FAILED') && /shop\/2/.test(error.message),
    )
    assert.deepEqual(await columns(own, 'half'), [])
    const { applied, pending } = await migrator.status()
    assert.deepEqual([applied.map(({ version }) => version), pending.map(({ version }) => version)], [[1], [2]])
    await own.migratorWith({ modules: [shop(goods, prices)] }).run()
  })

  it('that read differently since they were applied are refused; a new indentation is not a difference', async () => {
    const own = await fresh()
    await own.migratorWith({}).run()
    const indented = { ...goods, up: (s: string) => `\n      ${goods.up(s).replace(' (', '\n  (')}\n` }
    assert.deepEqual(await own.migratorWith({ modules: [shop(indented)] }).run(), [])
    const changed = { ...goods, up: (s: string) => `CREATE TABLE ${s}.goods (id integer PRIMARY KEY)` }
    await assert.rejects(own.migratorWith({ modules: [shop(changed)] }).run(), (e) => hasCode(e, 'E_MIGRATION_CHANGED'))
  })

  it('put in before an applied one, numbered with a gap, or of a module given twice are refused', async () => {
    const own = await fresh({ modules: [shop(goods, prices)] })
    await own.migratorWith({}).run()
    await own.database.query(`DELETE FROM ${own.schema}.migrations WHERE version = 1`)
    await assert.rejects(own.migratorWith({}).run(), (error) => hasCode(error, 'E_MIGRATION_ORDER'))
    for (const modules of [[shop(prices)], [shop(goods), shop(goods)]])
      assert.throws(
        () => own.migratorWith({ modules }),
        (error) => hasCode(error, 'E_MIGRATION_ORDER'),
      )
  })

  it('of a newer release are allowed with a notice', async () => {
    const own = await fresh({ modules: [shop(goods, prices)] })
    await own.migratorWith({}).run()
    const notices: NoticeEvent[] = []
    const stop = listen(notice, (event) => notices.push(event))
    await own.migratorWith({ modules: [shop(goods)], mode: 'check' }).run()
    stop()
    assert.match(notices[0]?.message ?? '', /newer than this code: shop\/2 \(prices\)/)
  })

  it('in mode check are listed with the command that applies them, and in mode off not looked at', async () => {
    const own = await fresh()
    await assert.rejects(
      own.migratorWith({ mode: 'check' }).run(),
      (error) => hasCode(error, 'E_MIGRATIONS_PENDING') && /shop\/1 \(goods\).*'tailwater migrate'/.test(error.message),
    )
    assert.deepEqual(await own.migratorWith({ mode: 'off' }).run(), [])
    assert.deepEqual(await columns(own, 'migrations'), [])
    await own.migratorWith({}).run()
    assert.deepEqual(await own.migratorWith({ mode: 'check' }).run(), [])
  })

  it('that wait for a table in vain name the session in the way, and let go of it in between', async () => {
    const own = await fresh()
    await own.migratorWith({}).run()
    const waiting = own.database.transaction(async (tx) => {
      await tx.query(`LOCK TABLE ${own.schema}.goods`)
      const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      const migrator = own.migratorWith({ modules: [shop(goods, prices)], lockTimeout: 200, lockRetries: 1 })
      await assert.rejects(
        migrator.run(),
        (error) =>
          hasCode(error, 'E_MIGRATION_LOCKED') &&
          error.message.includes(`waited for a table locked by pid ${rows[0]?.pid} (idle in transaction)`),
      )
    })
    await waiting
    await own.migratorWith({ modules: [shop(goods, prices)] }).run()
  })

  it('wait for another process that migrates, and give up after their patience', async () => {
    const own = await fresh()
    await own.database.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('tailwater:migrations:${own.schema}', 0))`)
      const migrator = own.migratorWith({ lockTimeout: 50, lockRetries: 0, patience: 200 })
      await assert.rejects(
        migrator.run(),
        (error) => hasCode(error, 'E_MIGRATION_LOCKED') && /another process/.test(error.message),
      )
    })
    await own.migratorWith({ lockTimeout: 50, lockRetries: 0, patience: 200 }).run()
  })

  it('are printed as SQL that does the same by hand, and nothing when run twice', async () => {
    const own = await fresh({ modules: [tailwaterMigrations, shop(goods, prices)] })
    const sql = await own.migratorWith({}).print()
    assert.equal(sql.match(/^BEGIN;$/gm)?.length, sql.match(/^COMMIT;$/gm)?.length)
    await own.database.query(sql)
    assert.deepEqual((await own.migratorWith({}).status()).pending, [])
    assert.match(await own.migratorWith({}).print(), /up to date/)
    await assert.rejects(own.database.query(sql))
    await own.database.query('ROLLBACK')
    assert.deepEqual(await columns(own, 'goods'), ['id', 'price'])
  })

  it("grant the application's role rows and sequences, and no shapes", async () => {
    const own = await fresh({ modules: [tailwaterMigrations, shop(goods)] })
    const role = `${own.schema}_app`
    await own.database.query(`CREATE ROLE ${role}`)
    try {
      await own.migratorWith({ role }).run()
      const later: Migration = {
        version: 2,
        name: 'later',
        up: (s) => `CREATE TABLE ${s}.later (id bigserial PRIMARY KEY, at timestamptz DEFAULT ${s}.now())`,
      }
      await own.migratorWith({ modules: [tailwaterMigrations, shop(goods, later)] }).run()
      const as = (sql: string) =>
        own.database.transaction(async (tx) => {
          await tx.query(`SET LOCAL ROLE ${role}`)
          await tx.query(sql)
        })
      await as(`INSERT INTO ${own.schema}.later DEFAULT VALUES`)
      await as(`UPDATE ${own.schema}.goods SET id = 1; DELETE FROM ${own.schema}.goods`)
      await as(`SELECT version FROM ${own.schema}.migrations`)
      for (const refused of [
        `CREATE TABLE ${own.schema}.mine (id int)`,
        `ALTER TABLE ${own.schema}.goods ADD x int`,
        `DELETE FROM ${own.schema}.migrations`,
        `TRUNCATE ${own.schema}.goods`,
      ])
        await assert.rejects(as(refused), /permission denied|must be owner/, refused)
    } finally {
      await own.database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
    }
  })

  it('give the schema a clock that tests can stop', async () => {
    const own = await fresh({ modules: [tailwaterMigrations] })
    await own.migratorWith({}).run()
    const read = async () => {
      const { rows } = await own.database.query<{ now: Date }>(`SELECT ${own.schema}.now() AS now`)
      return rows[0]!.now.toISOString()
    }
    await setTestTime(own.database, own.schema, new Date('2031-02-03T04:05:06.789Z'))
    assert.equal(await read(), '2031-02-03T04:05:06.789Z')
    await setTestTime(own.database, own.schema)
    assert.notEqual(await read(), '2031-02-03T04:05:06.789Z')
  })
})

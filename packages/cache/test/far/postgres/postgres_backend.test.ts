import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { backgroundError, databaseQuery, hasCode, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, passTestTime, setTestTime, type TestSchema } from '@tailwater/postgres/testing'
import { cacheMigrations, createPostgresBackend } from '../../../src/far/postgres/index.ts'
import { createPostgresEntries } from '../../../src/far/postgres/postgres_entries.ts'
import { createPostgresTags } from '../../../src/far/postgres/postgres_tags.ts'
import { cacheStatements } from '../../../src/far/postgres/statements.ts'
import { farBackendContract } from '../../../src/testing/index.ts'
import { acquire } from '../../../src/testing/subject.ts'

let ground: TestSchema
before(async () => {
  ground = await createTestSchema({ modules: [tailwaterMigrations, cacheMigrations] })
})
after(() => ground.close())

const tables = () => ['cache_entries', 'cache_tags', 'cache_state'].map((name) => `${ground.schema}.${name}`)
/** What a crash does to tables that are not logged. */
const lose = async () => void (await ground.database.query(`TRUNCATE ${tables().join(', ')}`))
const pass = (ms: number) => passTestTime(ground.database, ground.schema, ms)
const countOf = async (table: string) =>
  Number(
    (await ground.database.query<{ count: string }>(`SELECT count(*) FROM ${ground.schema}.${table}`)).rows[0]!.count,
  )

/** Resolves when a statement on that table of ours waits for a lock. */
async function lockAwaited(table: string): Promise<void> {
  const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${ground.schema}%${table}%'`
  while ((await ground.database.query(waiting)).rows.length === 0) {}
}

/** A backend over empty tables, whose own clock stands still. */
async function open() {
  await lose()
  await setTestTime(ground.database, ground.schema)
  const clock = new FakeClock()
  const backend = createPostgresBackend({ database: ground.database, schema: ground.schema, clock })
  await backend.start()
  return { backend, clock }
}

farBackendContract('createPostgresBackend', {
  async open() {
    const { backend } = await open()
    return {
      backend,
      pass,
      async lose() {
        await lose()
        // Where a test has stopped the clock; a server takes longer to come back.
        await pass(1)
      },
      close: () => backend.stop(),
    }
  },
})

describe('a far tier in PostgreSQL', () => {
  it('refuses a write that expects the nothing from before its tables were lost', async () => {
    const { backend } = await open()
    const [reading] = await backend.entries.read(['a:1'])
    await lose()
    const late = { key: 'a:1', envelope: Buffer.from('late'), ttl: 60_000, expected: reading!.version }
    assert.deepEqual(await backend.entries.write([late]), [false])
    assert.equal(await acquire(backend, 'a:1', reading!.version, 'p', 60_000), 'changed')
    const [fresh] = await backend.entries.read(['a:1'])
    assert.deepEqual(await backend.entries.write([late, { ...late, expected: fresh!.version }]), [false, true])
    await backend.stop()
  })

  it('locks rows in the order of their keys, however they are given, so that two statements never wait for each other', async () => {
    const { backend } = await open()
    const { database, schema } = ground
    const keys = ['k:b', 'k:d', 'k:a', 'k:c']
    const write = () => backend.entries.write(keys.map((key) => ({ key, envelope: Buffer.from('x'), ttl: 60_000 })))
    await write()
    for (const change of [write, () => backend.entries.invalidate(keys)]) {
      const changing = await database.transaction(async (tx) => {
        await createPostgresEntries(tx, cacheStatements(schema)).invalidate(['k:c'])
        const waiting = change()
        await lockAwaited('cache_entries')
        const free = `SELECT key FROM ${schema}.cache_entries ORDER BY key FOR UPDATE SKIP LOCKED`
        assert.deepEqual((await database.query(free)).rows, [{ key: 'k:d' }])
        return { waiting }
      })
      await changing.waiting
    }
    await backend.stop()
  })

  it('decides writes, invalidations and leases of the same keys from many connections', async () => {
    const { backend } = await open()
    const keys = Array.from({ length: 30 }, (_, index) => `busy:${index}`)
    const stored: string[] = []
    const worker = async (number: number) => {
      for (let round = 0; round < 15; round++) {
        const mine = number % 2 ? keys : keys.toReversed()
        const readings = await backend.entries.read(mine)
        const token = `${number}`
        await acquire(backend, mine[0]!, readings[0]!.version, token, 5_000)
        const outcomes = await backend.entries.write(
          mine.map((key, index) => ({
            key,
            envelope: Buffer.from(token),
            ttl: 60_000,
            expected: readings[index]!.version,
            ...(index === 0 && { lease: token }),
          })),
        )
        stored.push(...mine.flatMap((key, index) => (outcomes[index] ? [`${key} ${readings[index]!.version}`] : [])))
        await backend.entries.invalidate(mine.slice(10))
        await backend.tags.invalidate(mine)
        await backend.tags.numbers(mine.toReversed(), 0)
      }
    }
    await Promise.all(Array.from({ length: 6 }, (_, number) => worker(number)))
    // No version was replaced twice.
    assert.ok(stored.length > 0)
    assert.equal(new Set(stored).size, stored.length)
    await backend.stop()
  })

  it('lets whoever gives a tag its first number wait for an invalidation that is being committed', async () => {
    const { backend } = await open()
    const { database, schema } = ground
    const counter = await backend.tags.now()
    let isCommitted = false
    let asked: Promise<{ number: number; isCommitted: boolean }> | undefined
    const given = await database.transaction(async (tx) => {
      const number = await createPostgresTags(tx, cacheStatements(schema)).invalidate(['t'])
      asked = backend.tags.numbers(['t'], counter).then(([first]) => ({ number: first!, isCommitted }))
      await lockAwaited('cache_tags')
      isCommitted = true
      return number
    })
    // Otherwise it could have had the same number while the old entries still counted.
    assert.deepEqual(await asked, { number: given, isCommitted: true })
    await backend.stop()
  })

  it('trims what has expired, in bites, and leaves the rest', async () => {
    const { backend, clock } = await open()
    const old = Array.from({ length: 2_500 }, (_, index) => ({
      key: `old:${index}`,
      envelope: Buffer.from('x'),
      ttl: 1_000,
    }))
    await backend.entries.write([...old, { key: 'new:1', envelope: Buffer.from('x'), ttl: 3_600_000 }])
    const [leased] = await backend.entries.read(['leased:1'])
    await acquire(backend, 'leased:1', leased!.version, 'p', 3_600_000)
    await acquire(backend, 'free:1', leased!.version, 'p', 1_000)
    await backend.tags.numbers(['t'], 0)
    await pass(1_001)
    let bites = 0
    const done = new Promise<void>((resolve) => {
      const end = listen(databaseQuery, ({ name = '' }) => {
        if (name.startsWith('tw_cache_trim_entries')) bites++
        if (!name.startsWith('tw_cache_trim_tags')) return
        end()
        resolve()
      })
    })
    await clock.advance(60_000)
    await done
    assert.equal(bites, 3)
    assert.equal(await countOf('cache_entries'), 2)
    assert.equal(await countOf('cache_tags'), 1)
    assert.equal(await backend.leases.renew('leased:1', 'p', 1_000), true)
    await backend.stop()
    assert.equal(clock.pending, 0)
  })

  it('tells of a failed trim and tries again at the next turn', async () => {
    const { backend, clock } = await open()
    await ground.database.query(`ALTER TABLE ${ground.schema}.cache_tags RENAME TO hidden`)
    const failed = new Promise<string>((resolve) => {
      const end = listen(backgroundError, ({ source, error }) => {
        end()
        resolve(`${source}: ${error.message}`)
      })
    })
    await clock.advance(60_000)
    assert.match(await failed, /^cache trim: .*cache_tags/)
    await ground.database.query(`ALTER TABLE ${ground.schema}.hidden RENAME TO cache_tags`)
    const done = new Promise<void>((resolve) => {
      const end = listen(databaseQuery, ({ name = '', error }) => {
        if (!name.startsWith('tw_cache_trim_tags') || error) return
        end()
        resolve()
      })
    })
    await clock.advance(60_000)
    await done
    await backend.stop()
  })

  it('asks for tags with one statement, and writes only for those that are new or near their end', async () => {
    const { backend } = await open()
    const counter = await backend.tags.now()
    await backend.tags.numbers(['a', 'b'], counter)
    const seen: string[] = []
    const end = listen(databaseQuery, ({ name = '' }) => seen.push(name.replace(/:.*/, '')))
    await backend.tags.numbers(['b', 'a'], counter)
    assert.deepEqual(seen.splice(0), ['tw_cache_numbers'])
    await backend.tags.numbers(['a', 'c'], counter)
    assert.deepEqual(seen.splice(0), ['tw_cache_numbers', 'tw_cache_name'])
    end()
    await backend.stop()
  })

  it('refuses wrong options', () => {
    const { database } = ground
    for (const options of [{}, { database: {} }, { database, schema: 'a b' }, { database, trimInterval: 0 }])
      assert.throws(
        () => createPostgresBackend(options as never),
        (error) => hasCode(error, 'E_OPTIONS'),
      )
  })
})

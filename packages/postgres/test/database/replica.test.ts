import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import {
  type DatabaseQueryEvent,
  databaseQuery,
  listen,
  type NoticeEvent,
  newId,
  notice,
  runInContext,
} from '@tailwater/core'
import { createDatabase, type Database } from '@tailwater/postgres'
import { startReplica, startTestPostgres, type TestPostgres, type TestReplica } from '@tailwater/postgres/testing'
import { until } from './until.ts'

describe('reads through the reader', () => {
  let primary: TestPostgres
  let replica: TestReplica
  let database: Database
  before(async () => {
    primary = await startTestPostgres()
    replica = await startReplica(primary)
    database = createDatabase({ url: primary.url, replicaUrl: replica.url, min: 2, max: 6 })
    await database.start()
    await database.query('CREATE TABLE note (id int)')
    await replica.catchUp()
    await until(() => (database.stats().replica?.open ?? 0) === 2)
  })
  beforeEach(async () => {
    await database.query('TRUNCATE note')
    await replica.catchUp()
  })
  after(async () => {
    await database.stop()
    await replica.close()
    await primary.close()
  })

  const inRequest = <T>(body: () => Promise<T>) => runInContext({ requestId: newId() }, body)
  const isOnReplica = async () =>
    (await database.reader.query<{ r: boolean }>('SELECT pg_is_in_recovery() AS r')).rows[0]!.r
  const countNotes = async () =>
    (await database.reader.query<{ n: number }>('SELECT count(*) AS n FROM note')).rows[0]!.n

  it('go to the replica, in a request that has only read, and outside one', async () => {
    assert.equal(await isOnReplica(), true)
    await inRequest(async () => {
      assert.equal(await isOnReplica(), true)
      await database.transaction((tx) => tx.query('SELECT 1'), { readOnly: true })
      assert.equal(await isOnReplica(), true)
    })
  })

  it('see what their own request has written, however late the replica is', async () => {
    await replica.pauseReplay()
    try {
      await inRequest(async () => {
        await database.query('INSERT INTO note VALUES (1)')
        for (let i = 0; i < 50; i++) assert.equal(await countNotes(), 1)
        assert.equal(await isOnReplica(), false)
      })
      await inRequest(async () => {
        await database.transaction((tx) => tx.query('INSERT INTO note VALUES (2)'))
        assert.equal(await countNotes(), 2)
      })
      await inRequest(async () => {
        await database.query('SELECT nothing').catch(() => {})
        assert.equal(await isOnReplica(), false)
      })
      assert.equal(await countNotes(), 0, 'another request reads the past')
    } finally {
      await replica.resumeReplay()
    }
  })

  it('return to the replica once it has replayed what their request wrote', async () => {
    await replica.pauseReplay()
    await inRequest(async () => {
      await database.query('INSERT INTO note VALUES (1)')
      assert.equal(await isOnReplica(), false)
      await replica.resumeReplay()
      await until(isOnReplica)
      assert.equal(await countNotes(), 1)
      await database.query('INSERT INTO note VALUES (2)')
      assert.equal(await countNotes(), 2)
    })
  })

  it('see what their own request has written while many others write', async () => {
    let isOver = false
    const noise = Array.from({ length: 3 }, async () => {
      while (!isOver) await database.query('INSERT INTO note VALUES (-1)')
    })
    await Promise.all(
      Array.from({ length: 4 }, (_, worker) =>
        (async () => {
          for (let i = 0; i < 25; i++) {
            const id = worker * 1_000 + i
            await inRequest(async () => {
              await database.query('INSERT INTO note VALUES ($1)', [id])
              for (let read = 0; read < 5; read++) {
                const { rows } = await database.reader.query('SELECT 1 FROM note WHERE id = $1', [id])
                assert.equal(rows.length, 1, `note ${id} was not seen`)
              }
            })
          }
        })(),
      ),
    )
    isOver = true
    await Promise.all(noise)
  })

  it('say in their events which server answered', async () => {
    const events: DatabaseQueryEvent[] = []
    const stop = listen(databaseQuery, (event) => void events.push(event))
    await database.reader.query('SELECT 1 AS read_there')
    await database.query('SELECT 2 AS read_here')
    stop()
    assert.deepEqual(
      events.filter(({ text }) => text.includes('read_')).map(({ target }) => target),
      ['replica', 'primary'],
    )
  })

  it('go to the primary while the replica is away, without a failure, and return', async () => {
    let isOver = false
    let reads = 0
    const load = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        await database.reader.query('SELECT count(*) FROM note')
        reads++
      }
    })
    await until(() => reads > 20)
    await replica.kill('SIGKILL')
    const before = reads
    await until(() => reads > before + 200)
    assert.equal(await isOnReplica(), false)
    await replica.restart()
    await until(isOnReplica)
    isOver = true
    await Promise.all(load)
  })

  it('survive a replica that cancels them in favour of its replay', async () => {
    await database.reader.query("SELECT set_config('application_name', 'conflict', false)")
    const conflicting = database.reader.query(
      "SELECT CASE WHEN pg_is_in_recovery() THEN raise_conflict() ELSE 'from the primary' END AS answer",
    )
    await assert.rejects(conflicting, { code: 'E_QUERY' })
    await database.query(
      `CREATE OR REPLACE FUNCTION raise_conflict() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'conflict with recovery' USING ERRCODE = '40001'; END $$`,
    )
    await replica.catchUp()
    const { rows } = await database.reader.query(
      "SELECT CASE WHEN pg_is_in_recovery() THEN raise_conflict() ELSE 'from the primary' END AS answer",
    )
    assert.deepEqual(rows, [{ answer: 'from the primary' }])
  })

  it('may take longer than others there too', async () => {
    const set = "SELECT current_setting('statement_timeout') AS set, pg_is_in_recovery() AS r"
    assert.deepEqual((await database.reader.query(set, [], { timeout: 70_000 })).rows, [{ set: '70s', r: true }])
    assert.deepEqual((await database.reader.query(set)).rows, [{ set: '30s', r: true }])
  })

  it('count the connections of all pools', () => {
    const { primary: own, replica: theirs } = database.stats()
    assert.deepEqual([own.min, own.max, theirs?.min, theirs?.max], [2, 6, 2, 6])
  })
})

describe('a replica', () => {
  it('may be away when the database starts', async () => {
    const primary = await startTestPostgres()
    const database = createDatabase({
      url: primary.url,
      replicaUrl: 'postgres://nobody@127.0.0.1:1/none',
      min: 1,
      max: 4,
    })
    await database.start()
    assert.deepEqual((await database.reader.query('SELECT 1 AS a')).rows, [{ a: 1 }])
    await database.stop()
    await primary.close()
  })

  it('that is promoted is no replica any more, and is left alone', async () => {
    const notices: NoticeEvent[] = []
    const stop = listen(notice, (event) => void notices.push(event))
    const primary = await startTestPostgres()
    const replica = await startReplica(primary)
    const database = createDatabase({ url: primary.url, replicaUrl: replica.url, min: 1, max: 4 })
    await database.start()
    await database.query('CREATE TABLE note (id int)')
    await replica.catchUp()
    await replica.promote()
    await runInContext({ requestId: newId() }, async () => {
      await database.query('INSERT INTO note VALUES (1)')
      await until(async () => {
        assert.equal((await database.reader.query('SELECT 1 FROM note')).rows.length, 1)
        return notices.some(({ level, message }) => level === 'warn' && message.includes('follows no primary'))
      })
    })
    assert.equal((await database.reader.query('SELECT 1 FROM note')).rows.length, 1)
    stop()
    await database.stop()
    await replica.close()
    await primary.close()
  })
})

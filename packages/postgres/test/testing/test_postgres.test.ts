import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { startPgBouncer, startReplica, startTestPostgres, type TestPostgres } from '@tailwater/postgres/testing'
import pg from 'pg'

async function ask(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<{ answer: unknown }>(text)
    return rows[0]?.answer
  } finally {
    await client.end()
  }
}

describe('a private server', () => {
  let server: TestPostgres
  before(async () => {
    server = await startTestPostgres({ settings: { work_mem: '8MB' } })
    await ask(server.url, 'CREATE TABLE notes (id int)')
  })
  after(() => server.close())

  it('has the settings that were asked for, and is durable', async () => {
    assert.equal(await ask(server.url, "SELECT current_setting('work_mem') AS answer"), '8MB')
    assert.equal(await ask(server.url, "SELECT current_setting('fsync') AS answer"), 'on')
  })

  it('is killed, stays down, and comes back with its data at the same address', async () => {
    const { url, pid } = server
    await ask(url, 'INSERT INTO notes VALUES (1)')
    await server.kill('SIGKILL')
    await assert.rejects(ask(url, 'SELECT 1 AS answer'))
    await server.restart()
    assert.equal(server.url, url)
    assert.notEqual(server.pid, pid)
    assert.equal(await ask(url, 'SELECT count(*)::int AS answer FROM notes'), 1)
  })

  it('has a replica that follows, lags on demand, catches up, and can be promoted', async () => {
    const replica = await startReplica(server)
    try {
      await ask(server.url, 'INSERT INTO notes VALUES (2)')
      await replica.catchUp()
      assert.equal(await ask(replica.url, 'SELECT count(*)::int AS answer FROM notes WHERE id = 2'), 1)
      await assert.rejects(ask(replica.url, 'INSERT INTO notes VALUES (3)'), { code: '25006' })
      await replica.pauseReplay()
      await ask(server.url, 'INSERT INTO notes VALUES (4)')
      assert.equal(await ask(replica.url, 'SELECT count(*)::int AS answer FROM notes WHERE id = 4'), 0)
      await replica.resumeReplay()
      await replica.catchUp()
      assert.equal(await ask(replica.url, 'SELECT count(*)::int AS answer FROM notes WHERE id = 4'), 1)
      await replica.promote()
      await ask(replica.url, 'INSERT INTO notes VALUES (5)')
    } finally {
      await replica.close()
    }
    assert.equal(await ask(server.url, 'SELECT count(*)::int AS answer FROM pg_replication_slots'), 0)
  })

  it('is reached through PgBouncer, whose server connections change hands between transactions', async () => {
    const bouncer = await startPgBouncer({ target: server.url, poolSize: 1 })
    const clients = [1, 2].map(() => new pg.Client({ connectionString: bouncer.url }))
    try {
      for (const client of clients) await client.connect()
      const pids = await Promise.all(
        clients.map(async (client) => (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid),
      )
      assert.equal(pids[0], pids[1])
    } finally {
      for (const client of clients) await client.end()
      await bouncer.close()
    }
  })

  it('is gone with its folder when it is closed', async () => {
    const short = await startTestPostgres()
    await short.close()
    assert.equal(existsSync(short.pgdata), false)
    await assert.rejects(ask(short.url, 'SELECT 1 AS answer'))
  })
})

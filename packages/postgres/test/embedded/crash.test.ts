import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createEmbeddedPostgres, type EmbeddedPostgres } from '@tailwater/postgres/embedded'
import pg from 'pg'
import { ask, dataFolder, nextEvent } from './scratch.ts'

describe('a server that crashes', () => {
  let postgres: EmbeddedPostgres
  before(async () => {
    postgres = createEmbeddedPostgres({ dataDir: await dataFolder() })
  })
  beforeEach(() => postgres.start())
  after(() => postgres.stop())

  it('comes back at the same address with every row whose commit was acknowledged', async () => {
    await ask(postgres.server.url, 'CREATE TABLE rows (id bigint PRIMARY KEY)')
    const { pid, url } = postgres.server
    const restarted = nextEvent('restarted')
    const acknowledged = await insertUntilCutOff(url, () => process.kill(pid, 'SIGKILL'))
    const event = await restarted
    assert.equal(postgres.server.url, url)
    assert.equal(postgres.server.pid, event.pid)
    assert.notEqual(event.pid, pid)
    const lost = `SELECT count(*)::int FROM unnest('{${acknowledged.join(',')}}'::bigint[]) id WHERE id NOT IN (SELECT id FROM rows)`
    assert.equal(await ask(url, lost), 0)
    assert.ok(acknowledged.length >= 400)
  })

  it('is told to those who listen', async () => {
    const { pid } = postgres.server
    const events = Promise.all([nextEvent('crashed'), nextEvent('restarted')])
    process.kill(pid, 'SIGKILL')
    const [crashed, restarted] = await events
    assert.equal(crashed.pid, pid)
    assert.equal(restarted.pid, postgres.server.pid)
  })

  it('comes back although a statement keeps one of its children busy', async () => {
    const { pid, url } = postgres.server
    const client = new pg.Client(url)
    client.on('error', () => {})
    await client.connect()
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const busy = assert.rejects(client.query('SELECT count(*) FROM generate_series(1, 100000000000)'))
    // It has begun: a second statement can see it.
    while ((await ask(url, `SELECT state FROM pg_stat_activity WHERE pid = ${rows[0]!.pid}`)) !== 'active');
    const restarted = nextEvent('restarted')
    process.kill(pid, 'SIGKILL')
    await restarted
    await busy
    assert.equal(await ask(url, 'SELECT 1'), 1)
  })

  it('is stopped for good when it crashes amid a stop', async () => {
    const { pid, url } = postgres.server
    process.kill(pid, 'SIGKILL')
    await postgres.stop()
    await assert.rejects(ask(url, 'SELECT 1'), { code: 'ECONNREFUSED' })
  })

  it('keeps running when only the connection to its supervisor is cut', async () => {
    const { pid, adminUrl } = postgres.server
    const cut =
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'tailwater supervisor%'"
    assert.equal(await ask(adminUrl, cut), true)
    // Held again, it is stopped by the stop, and by that alone.
    await postgres.stop()
    await postgres.start()
    assert.notEqual(postgres.server.pid, pid)
  })
})

/** Inserts over several connections, kills after some hundred rows, and tells which inserts were acknowledged. */
async function insertUntilCutOff(url: string, kill: () => void): Promise<number[]> {
  const acknowledged: number[] = []
  let next = 0
  const insert = async () => {
    const client = new pg.Client(url)
    client.on('error', () => {})
    await client.connect()
    try {
      while (true) {
        const id = next++
        await client.query('INSERT INTO rows VALUES ($1)', [id])
        if (acknowledged.push(id) === 400) kill()
      }
    } catch {
      // Cut off, as intended.
      await client.end().catch(() => {})
    }
  }
  await Promise.all(Array.from({ length: 5 }, insert))
  return acknowledged
}

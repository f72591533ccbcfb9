import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createEmbeddedPostgres, type EmbeddedPostgres } from '@tailwater/postgres/embedded'
import { ask, emptyFolder } from './scratch.ts'

const modeOf = (path: string) => statSync(path).mode & 0o777

describe('an embedded server in an empty folder', () => {
  let postgres: EmbeddedPostgres
  const steps: string[] = []
  before(async () => {
    postgres = createEmbeddedPostgres({ dataDir: emptyFolder(), onProgress: (step) => steps.push(step) })
    await postgres.start()
  })
  after(() => postgres.stop())
  const setting = (name: string) => ask(postgres.server.url, `SELECT current_setting('${name}')`)

  it('is initialised and says so', () => {
    assert.equal(postgres.server.how, 'initialised')
    assert.match(postgres.server.version, /^18\./)
    assert.deepEqual(steps.slice(0, 2), ['initialising', 'starting'])
  })

  it('stores UTF-8, sorts by bytes, and knows the letters of Unicode', async () => {
    assert.equal(await setting('server_encoding'), 'UTF8')
    assert.equal(await ask(postgres.server.url, "SELECT 'a' > 'B'"), true)
    assert.equal(await ask(postgres.server.url, "SELECT upper('straße é')"), 'STRAßE É')
  })

  it('keeps what it has committed: fsync, whole pages, checksums', async () => {
    for (const name of ['fsync', 'full_page_writes', 'data_checksums', 'synchronous_commit'])
      assert.equal(await setting(name), 'on', name)
  })

  it('listens on the loopback address only', async () => {
    assert.equal(await setting('listen_addresses'), '127.0.0.1')
    const others = Object.values(networkInterfaces()).flatMap(
      (list) => list?.filter(({ internal, family }) => !internal && family === 'IPv4') ?? [],
    )
    for (const { address } of others)
      await assert.rejects(reach(address, postgres.server.port), { code: 'ECONNREFUSED' })
  })

  it('takes connections over a socket in a folder closed to others', async () => {
    const { socketDir, url, port } = postgres.server
    assert.equal(modeOf(socketDir!), 0o700)
    const { username, password } = new URL(url)
    const database = { host: socketDir!, port, user: username, password, database: 'tailwater' }
    assert.equal(await ask(database, 'SELECT current_user'), 'tailwater')
  })

  it('is reached over TCP by its url, and over the socket by its localUrl', async () => {
    const { url, localUrl } = postgres.server
    const way = `SELECT coalesce(host(inet_client_addr()), 'socket') AS way`
    assert.equal(await ask({ connectionString: url }, way), '127.0.0.1')
    assert.equal(await ask({ connectionString: localUrl }, way), 'socket')
  })

  it('refuses a wrong password and none at all, over TCP and over the socket', async () => {
    const { socketDir, port } = postgres.server
    for (const host of ['127.0.0.1', socketDir!])
      for (const user of ['tailwater', 'postgres']) {
        await assert.rejects(ask({ host, port, user, database: 'tailwater', password: 'wrong' }, 'SELECT 1'), {
          code: '28P01',
        })
        await assert.rejects(ask({ host, port, user, database: 'tailwater', password: '' }, 'SELECT 1'))
      }
  })

  it('keeps passwords as scram secrets, and in files that nobody else can read', async () => {
    const { adminUrl, dataDir, url } = postgres.server
    assert.equal(
      await ask(adminUrl, "SELECT every(rolpassword LIKE 'SCRAM-SHA-256$%') FROM pg_authid WHERE rolcanlogin"),
      true,
    )
    for (const name of ['tailwater.password', 'postgres.password'])
      assert.equal(modeOf(join(dataDir, 'pgdata', name)), 0o600)
    assert.equal(modeOf(join(dataDir, 'pgdata')), 0o700)
    assert.equal(modeOf(join(dataDir, 'server.log')), 0o600)
    const kept = readFileSync(join(dataDir, 'pgdata', 'tailwater.password'), 'utf8').trim()
    assert.equal(new URL(url).password, kept)
    assert.ok(kept.length >= 32)
  })

  it('gives the application a role that owns its database and is no superuser', async () => {
    const { url } = postgres.server
    assert.equal(await setting('is_superuser'), 'off')
    await ask(url, 'CREATE EXTENSION pg_trgm')
    await ask(url, 'CREATE SCHEMA shop CREATE TABLE items (id int)')
    await assert.rejects(ask(url, "COPY shop.items TO PROGRAM 'cat'"), { code: '42501' })
    const elsewhere = Object.assign(new URL(url), { pathname: '/postgres' }).href
    await assert.rejects(ask(elsewhere, 'SELECT 1'), { code: '42501' })
  })

  it('is detached: leader of a session of its own', () => {
    const { pid } = postgres.server
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [, , group, session] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    assert.deepEqual([group, session], [pid, pid])
  })

  it('logs no statement of a client, so that no data is in the log', async () => {
    await assert.rejects(ask(postgres.server.url, "SELECT 'my-secret'::int"))
    assert.doesNotMatch(readFileSync(join(postgres.server.dataDir, 'server.log'), 'utf8'), /my-secret/)
  })
})

function reach(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 1_000 }, () => {
      socket.destroy()
      resolve()
    })
    socket.once('error', reject)
    socket.once('timeout', () => reject(Object.assign(new Error('no answer'), { code: 'ECONNREFUSED' })))
  })
}

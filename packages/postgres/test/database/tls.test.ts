import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { requireProgram } from '@tailwater/core/testing'
import { createDatabase, type DatabaseOptions } from '@tailwater/postgres'
import { startTestPostgres, type TestPostgres } from '@tailwater/postgres/testing'
import { countRunning, failureOf, until } from './until.ts'

describe('over TLS', { timeout: 60_000 }, () => {
  let server: TestPostgres
  let ca: string
  before(async () => {
    server = await startTestPostgres()
    ca = certify(server.pgdata)
    const database = createDatabase({ url: server.url, min: 1, max: 1 })
    await database.start()
    await database.query('ALTER SYSTEM SET ssl = on')
    await database.query('SELECT pg_reload_conf()')
    await until(
      async () => (await database.query<{ ssl: string }>("SELECT current_setting('ssl') AS ssl")).rows[0]!.ssl === 'on',
    )
    await database.stop()
  })
  after(() => server.close())

  for (const [title, query, ssl] of [
    ['with a certificate authority', '', () => ({ ca, servername: 'localhost' })],
    ['without a look at the certificate, as the url says', '?sslmode=no-verify', () => undefined],
    ['from the first byte on, as the url says', '?sslmode=no-verify&sslnegotiation=direct', () => undefined],
  ] as const) {
    it(`statements, sessions and cancellations work ${title}`, async () => {
      const given = ssl()
      const database = createDatabase({
        url: server.url + query,
        ...(given ? { ssl: given } : {}),
        min: 2,
        max: 2,
        statementTimeout: '10m',
      })
      await database.start()
      const isEncrypted = 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()'
      assert.deepEqual((await database.query(isEncrypted)).rows, [{ ssl: true }])
      const session = await database.session()
      assert.deepEqual((await session.query(isEncrypted)).rows, [{ ssl: true }])
      await session.release()
      const error = await failureOf(database.query('SELECT pg_sleep(600) AS over_tls', [], { timeout: 1_000 }))
      assert.equal(error.code, 'E_DATABASE_TIMEOUT')
      await until(async () => (await countRunning(database, 'over_tls')) === 0)
      await database.stop()
    })
  }

  it('an unknown certificate is refused, with the way out', async () => {
    const options: DatabaseOptions = { url: server.url, ssl: true }
    const error = await failureOf(createDatabase(options).start())
    assert.equal(error.code, 'E_DATABASE_UNAVAILABLE')
    assert.match(error.message, /give its certificate authority in ssl: \{ ca \}/)
  })
})

/** Gives the server a certificate, and returns it. */
function certify(pgdata: string): string {
  const [key, certificate] = [join(pgdata, 'server.key'), join(pgdata, 'server.crt')]
  const request = [
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
  ]
  const openssl = requireProgram('openssl', { debianPackage: 'openssl' })
  execFileSync(openssl, ['req', ...request, '-keyout', key, '-out', certificate], { stdio: 'pipe' })
  const { uid, gid } = statSync(pgdata)
  for (const path of [key, certificate]) {
    chmodSync(path, 0o600)
    chownSync(path, uid, gid)
  }
  return readFileSync(certificate, 'utf8')
}

import assert from 'node:assert/strict'
import { existsSync, rmdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { it } from 'node:test'
import { stressLifecycle } from '@tailwater/core/testing'
import { createEmbeddedPostgres } from '@tailwater/postgres/embedded'
import { isAlive } from '../../src/embedded/os_process.ts'
import { ask, dataFolder, emptyFolder } from './scratch.ts'

it('a second start finds the data of the first, at the same address', async () => {
  const postgres = createEmbeddedPostgres({ dataDir: await dataFolder() })
  await postgres.start()
  const first = postgres.server
  await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
  await postgres.stop()
  assert.equal(isAlive(first.pid), false)
  assert.throws(() => postgres.server, { code: 'E_EMBEDDED_NOT_STARTED' })
  await postgres.start()
  assert.equal(postgres.server.how, 'started')
  assert.equal(postgres.server.url, first.url)
  assert.equal(await ask(first.url, 'SELECT answer FROM kept'), 42)
  await postgres.stop()
})

it('a remembered port that is taken gives way to another, one asked for does not', async () => {
  const dataDir = await dataFolder()
  const postgres = createEmbeddedPostgres({ dataDir })
  await postgres.start()
  const { port } = postgres.server
  await postgres.stop()
  const squatter = createServer().listen(port, '127.0.0.1')
  try {
    await postgres.start()
    assert.notEqual(postgres.server.port, port)
    await postgres.stop()
    await assert.rejects(createEmbeddedPostgres({ dataDir, port }).start(), { code: 'E_EMBEDDED_PORT_TAKEN' })
  } finally {
    squatter.close()
  }
})

it('starts and stops in any order, together, keep the lifecycle promise', async () => {
  const dataDir = await dataFolder()
  // Another holder, so that hundreds of starts and stops are not as many checkpoints.
  const witness = createEmbeddedPostgres({ dataDir })
  await witness.start()
  await stressLifecycle(createEmbeddedPostgres({ dataDir }))
  assert.equal(await ask(witness.server.url, 'SELECT 1'), 1)
  await witness.stop()
})

it('two that start and stop on one folder at the same time are never refused, and leave no server behind', async () => {
  const dataDir = await dataFolder()
  const rounds = async () => {
    const postgres = createEmbeddedPostgres({ dataDir })
    for (let round = 0; round < 10; round++) {
      await postgres.start()
      assert.equal(await ask(postgres.server.url, 'SELECT 1'), 1)
      await postgres.stop()
    }
  }
  await Promise.all([rounds(), rounds()])
  assert.equal(existsSync(join(dataDir, 'pgdata', 'postmaster.pid')), false)
})

it('a folder whose path is too long for a socket gets one elsewhere', async () => {
  const dataDir = join(emptyFolder(), 'a'.repeat(100), 'data')
  const postgres = createEmbeddedPostgres({ dataDir })
  await postgres.start()
  const { port, socketDir, url } = postgres.server
  const { username, password } = new URL(url)
  assert.ok(socketDir && !socketDir.startsWith(dataDir))
  assert.equal(await ask({ host: socketDir, port, user: username, password, database: 'tailwater' }, 'SELECT 1'), 1)
  await postgres.stop()
  rmdirSync(socketDir)
})

it('a server without deadline is stopped although clients are still connected', async () => {
  const postgres = createEmbeddedPostgres({ dataDir: await dataFolder() })
  await postgres.start()
  const { pid, url } = postgres.server
  const cutOff = assert.rejects(ask(url, 'SELECT pg_sleep(600)'))
  await postgres.stop()
  await cutOff
  assert.equal(isAlive(pid), false)
})

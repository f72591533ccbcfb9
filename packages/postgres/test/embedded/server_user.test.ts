import assert from 'node:assert/strict'
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { createEmbeddedPostgres } from '@tailwater/postgres/embedded'
import { findNativePackage } from '../../src/embedded/native_package.ts'
import { isAlive } from '../../src/embedded/os_process.ts'
import { ask, dataFolder, emptyFolder, otherProcess, serverOf } from './scratch.ts'

const NOBODY = { uid: 65_534, gid: 65_534 }
const statusOf = (pid: number, field: string) =>
  new RegExp(`^${field}:\\s+(\\w+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]

/** A folder that belongs to nobody. */
function nobodysFolder(): string {
  const dir = emptyFolder()
  chownSync(dir, NOBODY.uid, NOBODY.gid)
  return dir
}

/** The programs in a folder of a test's own: a clone of root's may be closed to others, or not. */
function programsIn(folder: string): string {
  const nativeDir = join(folder, 'native')
  cpSync(findNativePackage(undefined).dir, nativeDir, { recursive: true, verbatimSymlinks: true })
  return nativeDir
}

// What an ordinary user can do, all the other tests show when they are run by one.
if (process.getuid?.() === 0)
  describe('root', () => {
    it('starts the server as an ordinary user without any privilege', async () => {
      const postgres = createEmbeddedPostgres({ dataDir: await dataFolder(), nativeDir: programsIn(emptyFolder()) })
      await postgres.start()
      const { pid, dataDir } = postgres.server
      assert.notEqual(statusOf(pid, 'Uid'), '0')
      assert.equal(Number(statusOf(pid, 'Uid')), statSync(join(dataDir, 'pgdata')).uid)
      assert.equal(Number(`0x${statusOf(pid, 'CapEff')}`), 0)
      await postgres.stop()
    })

    it('lets the server through a folder closed to others, with that one privilege', async () => {
      const closed = emptyFolder()
      chmodSync(closed, 0o700)
      // As in a clone in root's home: the programs lie behind it as well.
      const dataDir = join(closed, 'data', 'postgres')
      const postgres = createEmbeddedPostgres({ dataDir, nativeDir: programsIn(closed) })
      await postgres.start()
      const { pid, url } = postgres.server
      assert.equal(await ask(url, 'SELECT 1'), 1)
      assert.notEqual(statusOf(pid, 'Uid'), '0')
      // Bit 2: CAP_DAC_READ_SEARCH.
      assert.equal(Number(`0x${statusOf(pid, 'CapEff')}`), 0b100)
      assert.equal(Number(`0x${statusOf(pid, 'CapBnd')}`), 0b100)
      await postgres.stop()
    })

    it('of a container, who may not look into other processes, adopts and stops a server all the same', async () => {
      const options = { dataDir: await dataFolder(), nativeDir: programsIn(emptyFolder()) }
      const first = await otherProcess(options, 'root of a container')
      await first.kill()
      const second = await otherProcess(options, 'root of a container')
      assert.deepEqual([serverOf(second).how, serverOf(second).pid], ['adopted', serverOf(first).pid])
      await second.stop()
      assert.equal(isAlive(serverOf(first).pid), false)
    })

    it('of a container is told of the folder that is closed to the server', async () => {
      const closed = emptyFolder()
      chmodSync(closed, 0o700)
      const { answer } = await otherProcess({ dataDir: join(closed, 'data') }, 'root of a container')
      assert.ok('code' in answer)
      assert.equal(answer.code, 'E_EMBEDDED_FOLDER_UNREACHABLE')
      assert.match(answer.message, new RegExp(`chmod o\\+x ${closed}`))
    })

    it('goes on with the data of an ordinary user, as that user', async () => {
      const dataDir = nobodysFolder()
      const other = await otherProcess({ dataDir }, NOBODY)
      const theirs = serverOf(other)
      assert.equal(theirs.how, 'initialised')
      await ask(theirs.url, 'CREATE TABLE kept AS SELECT 42 AS answer')
      await other.stop()
      const postgres = createEmbeddedPostgres({ dataDir })
      await postgres.start()
      assert.equal(Number(statusOf(postgres.server.pid, 'Uid')), NOBODY.uid)
      assert.equal(await ask(postgres.server.url, 'SELECT answer FROM kept'), 42)
      await postgres.stop()
      const again = await otherProcess({ dataDir }, NOBODY)
      assert.equal(serverOf(again).how, 'started')
      await again.stop()
    })
  })

if (process.getuid?.() === 0)
  describe('an ordinary user', () => {
    it('adopts a server after the process that started it was killed', async () => {
      const dataDir = await dataFolder(NOBODY)
      const first = await otherProcess({ dataDir }, NOBODY)
      await first.kill()
      const second = await otherProcess({ dataDir }, NOBODY)
      assert.deepEqual([serverOf(second).how, serverOf(second).pid], ['adopted', serverOf(first).pid])
      await second.stop()
    })

    it('is told of a folder that cannot be written', async () => {
      const { answer } = await otherProcess({ dataDir: emptyFolder() }, NOBODY)
      assert.ok('code' in answer)
      assert.equal(answer.code, 'E_EMBEDDED_FOLDER_READONLY')
      assert.match(answer.message, /cannot be written \(EACCES\): make it writable/)
    })

    it("is told of data that is somebody else's", async () => {
      const dataDir = nobodysFolder()
      mkdirSync(join(dataDir, 'pgdata'), { mode: 0o755 })
      const { answer } = await otherProcess({ dataDir }, NOBODY)
      assert.ok('code' in answer)
      assert.equal(answer.code, 'E_EMBEDDED_FOLDER_OWNER')
    })
  })

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { createDiskFileStore } from '../src/files/disk_file_store.ts'

const folder = await mkdtemp(join(tmpdir(), 'tailwater-files-'))
after(() => rm(folder, { recursive: true }))
const files = createDiskFileStore(folder)
const bytes = (content: string) => new TextEncoder().encode(content)

it('gives back what was written, whole or in part', async () => {
  const written = await files.write('reports/2026/a.txt', bytes('hello world'))
  assert.equal(written.bytes, 11)
  assert.equal(await text(await files.read('reports/2026/a.txt')), 'hello world')
  assert.equal(await text(await files.read('reports/2026/a.txt', { start: 6, end: 8 })), 'wor')
})

it('replaces a file at once, and lists it by its prefix', async () => {
  await files.write('list/a', bytes('1'))
  await files.write('list/a', Readable.from([bytes('2')]))
  assert.equal(await text(await files.read('list/a')), '2')
  const keys = []
  for await (const file of files.list('list/')) keys.push(file.key)
  assert.deepEqual(keys, ['list/a'])
})

it('a source that fails leaves nothing behind', async () => {
  const failing = Readable.from(
    (async function* () {
      yield bytes('half')
      throw new Error('the source broke')
    })(),
  )
  await assert.rejects(files.write('broken/a', failing), /the source broke/)
  assert.equal(await files.stat('broken/a'), undefined)
  assert.deepEqual(await readdir(join(folder, 'broken')), [])
})

it('an aborted write leaves nothing behind', async () => {
  await assert.rejects(files.write('aborted/a', Readable.from([bytes('x')]), { signal: AbortSignal.abort() }))
  assert.equal(await files.stat('aborted/a'), undefined)
})

for (const key of [
  '../escape',
  '/absolute',
  'a//b',
  'a/../b',
  '.hidden',
  'a\\b',
  'a\0b',
  '',
  'x.part',
  'a'.repeat(501),
])
  it(`refuses the key ${JSON.stringify(key.slice(0, 20))}`, async () => {
    await assert.rejects(
      async () => files.write(key, bytes('x')),
      (error) => hasCode(error, 'E_FILE_KEY'),
    )
  })

it('a file that is not there is an error to read, and nothing to stat or delete', async () => {
  await assert.rejects(files.read('none'), (error) => hasCode(error, 'E_FILE_NOT_FOUND'))
  assert.equal(await files.stat('none'), undefined)
  await files.delete('none')
})

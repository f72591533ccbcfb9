import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { createDatabase, createMigrator, tailwaterMigrations } from '@tailwater/postgres'
import { startTestPostgres } from '@tailwater/postgres/testing'
import { cacheMigrations, createPostgresBackend } from '../../../src/far/postgres/index.ts'

it('after a crash of the server the tier is empty, goes on, and lets no load from before land', async () => {
  const server = await startTestPostgres()
  const database = createDatabase({ url: server.url, min: 1, max: 2 })
  await database.start()
  await createMigrator({ database, modules: [tailwaterMigrations, cacheMigrations] }).run()
  const far = createPostgresBackend({ database })
  const write = { key: 'a:1', envelope: Buffer.from('one'), ttl: 3_600_000 }
  await far.entries.write([write])
  const given = await far.tags.invalidate(['t'])
  const [before] = await far.entries.read(['a:2'])
  await far.entries.invalidate(['a:2'])

  await server.kill('SIGKILL')
  await server.restart()

  const [one, two] = await eventually(() => far.entries.read(['a:1', 'a:2']))
  assert.deepEqual([one!.envelope, two!.envelope], [undefined, undefined])
  const late = { ...write, key: 'a:2', expected: before!.version }
  assert.deepEqual(await far.entries.write([late]), [false])
  assert.deepEqual(await far.entries.write([{ ...late, expected: two!.version }]), [true])
  const [lost] = await far.tags.numbers(['t'], 0)
  assert.ok(lost! > given)
  await database.stop()
  await server.close()
})

/** Repeats what fails for lack of a connection. */
async function eventually<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      assert.ok(hasCode(error, 'E_DATABASE_UNAVAILABLE') || hasCode(error, 'E_QUERY'), String(error))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

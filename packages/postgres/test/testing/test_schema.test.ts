import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createTestSchema } from '@tailwater/postgres/testing'

const modules = [
  {
    module: 'a',
    migrations: [
      { version: 1, name: 'rows', up: (schema: string) => `CREATE TABLE ${schema}.rows (id bigint PRIMARY KEY)` },
    ],
  },
]

it('a test schema has its migrations applied and is gone when it is closed', async () => {
  const { database, schema, close } = await createTestSchema({ modules })
  await database.query(`INSERT INTO ${schema}.rows VALUES ($1)`, ['1'])
  const { rows } = await database.query(`SELECT * FROM ${schema}.rows`)
  assert.deepEqual(rows, [{ id: '1' }])
  const session = await database.session()
  await close()
  const left = await session.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
  await session.release()
  assert.equal(left.rowCount, 0)
})

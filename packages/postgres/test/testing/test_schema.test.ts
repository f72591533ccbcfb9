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
  const witness = await createTestSchema()
  const { database, schema, close } = await createTestSchema({ modules })
  await database.query(`INSERT INTO ${schema}.rows VALUES ($1)`, ['1'])
  const { rows } = await database.query(`SELECT id::text FROM ${schema}.rows`)
  assert.deepEqual(rows, [{ id: '1' }])
  await close()
  const left = await witness.database.query('SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])
  await witness.close()
  assert.equal(left.rowCount, 0)
})

it('a session that was never released does not keep a test schema from closing', async () => {
  const { database, close } = await createTestSchema()
  await database.session()
  await close()
})

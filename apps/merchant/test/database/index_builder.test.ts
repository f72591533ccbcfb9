import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@tailwater/core'
import { createIndexes } from '../../src/database/index_builder.ts'
import { indexes } from '../../src/database/indexes.ts'
import { type MerchantApp, startMerchantApp } from '../testing/merchant_app.ts'

describe('the indexes', () => {
  let app: MerchantApp
  before(async () => {
    app = await startMerchantApp()
  })
  after(() => app.close())

  const create = () => createIndexes({ database: app.database, schema: app.schema, clock: systemClock })
  const valid = async () =>
    (
      await app.rows<{ name: string }>(
        `SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE c.relnamespace = '$schema'::regnamespace AND i.indisvalid`,
      )
    ).map((row) => row.name)

  it('are at least twenty, each with a name and a reason of its own', () => {
    assert.ok(indexes.length >= 20)
    assert.equal(new Set(indexes.map((index) => index.name)).size, indexes.length)
    for (const { why } of indexes) assert.match(why, /^[A-Z].+\.$/)
  })

  it('are all made by one of two processes that start together, and not again', async () => {
    const made = await Promise.all([create(), create()])
    assert.deepEqual(
      made.map((names) => names.length).sort((a, b) => a - b),
      [0, indexes.length],
    )
    assert.deepEqual(await create(), [])
    const names = await valid()
    for (const { name } of indexes) assert.ok(names.includes(name), name)
  })

  it('are made anew where a run was interrupted', async () => {
    const name = 'products_active_by_price'
    await app.rows(`UPDATE pg_index SET indisvalid = false WHERE indexrelid = '$schema.${name}'::regclass`)
    assert.equal((await valid()).includes(name), false)
    assert.deepEqual(await create(), [name])
    assert.ok((await valid()).includes(name))
  })

  it('carry their reasons as comments', async () => {
    const [row] = await app.rows(`SELECT obj_description('$schema.products_by_words'::regclass) AS comment`)
    assert.equal(row?.['comment'], 'Full-text search in titles and descriptions.')
  })
})

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { loadData } from '../../src/data/load_data.ts'
import { importOnlineRetail } from '../../src/data/online_retail/import.ts'
import { merchantMigrations } from '../../src/database/migrations.ts'

const file = join(import.meta.dirname, 'online_retail/odd_lines.csv')

async function openSchema(): Promise<TestSchema> {
  const opened = await createTestSchema({ modules: [merchantMigrations] })
  after(opened.close)
  return opened
}

/** Loads in a process of its own and kills it with SIGKILL when it says that it has come to `stopAt`. */
async function loadAndKill({ url, schema }: TestSchema, stopAt: string, path?: string): Promise<void> {
  const program = join(import.meta.dirname, 'interrupted_load.ts')
  const child = spawn(
    process.execPath,
    ['--conditions=@tailwater/source', program, url, schema, stopAt, ...(path ? [path] : [])],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const exit = once(child, 'exit')
  const [said] = await Promise.race([once(child.stdout, 'data'), exit])
  assert.equal(String(said), 'stopped\n', `it came to '${stopAt}'`)
  child.kill('SIGKILL')
  const [, signal] = await exit
  assert.equal(signal, 'SIGKILL')
}

async function count({ database, schema }: TestSchema, table: string): Promise<number> {
  const { rows } = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${schema}.${table}`)
  return rows[0]!.count
}

describe('a load that is killed half-way', () => {
  for (const label of ['products', 'order lines', 'payments'])
    it(`leaves an empty database, which the next start fills, when it had come to ${label}`, async () => {
      const opened = await openSchema()
      await loadAndKill(opened, label)
      const size = { products: 300, orders: 1_000, lines: 3_000 }
      assert.ok(await loadData({ ...opened, size, secret: new Uint8Array(32) }))
      assert.equal(await count(opened, 'order_lines'), 3_000)
      assert.equal(await count(opened, 'products'), 300)
    })

  it('leaves nothing of an imported file, which the next import adds whole', async () => {
    const opened = await openSchema()
    await loadAndKill(opened, 'writing order lines', file)
    assert.equal(await count(opened, 'merchants'), 0)
    const { added } = await importOnlineRetail({ ...opened, file })
    assert.equal(added, 23)
    assert.equal(await count(opened, 'order_lines'), 23)
  })
})

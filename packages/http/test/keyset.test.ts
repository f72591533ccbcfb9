import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createKeyring } from '@tailwater/core'
import { createCursors, createKeyset, type Keyset, openPage, type PageReply } from '@tailwater/http'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'

const cursors = createCursors({ keyring: createKeyring(['a'.repeat(40)]) })

/** Orders of every kind: one direction, mixed, with nulls at either end. */
const keysets: Record<string, Keyset> = {
  'one column': createKeyset([{ sql: 'id', type: 'bigint' }]),
  'one direction': createKeyset([
    { sql: 'made', type: 'timestamptz', direction: 'desc' },
    { sql: 'id', type: 'bigint', direction: 'desc' },
  ]),
  'mixed directions': createKeyset([
    { sql: 'price', type: 'numeric(14,3)', direction: 'desc' },
    { sql: 'name', type: 'text' },
    { sql: 'id', type: 'bigint' },
  ]),
  'nulls last': createKeyset([
    { sql: 'sold', type: 'timestamptz', nulls: 'last' },
    { sql: 'id', type: 'bigint' },
  ]),
  'nulls first': createKeyset([
    { sql: 'sold', type: 'timestamptz', direction: 'desc', nulls: 'first' },
    { sql: 'id', type: 'bigint', direction: 'desc' },
  ]),
}

describe('pages by keyset', () => {
  let schema: TestSchema
  let table: string

  before(async () => {
    schema = await createTestSchema()
    table = `${schema.schema}.items`
    await schema.database.query(
      `CREATE TABLE ${table} (id bigint PRIMARY KEY, made timestamptz NOT NULL, price numeric(14,3) NOT NULL, name text NOT NULL, sold timestamptz)`,
    )
  })
  after(() => schema.close())

  /** 60 rows with many ties; times differ by microseconds, which a JavaScript Date cannot tell. */
  async function fill(): Promise<void> {
    await schema.database.query(`TRUNCATE ${table}`)
    await insert(1, 60)
  }

  async function insert(from: number, to: number): Promise<void> {
    await schema.database.query(`
      INSERT INTO ${table}
      SELECT n, '2026-01-01'::timestamptz + (n % 7) * interval '1 microsecond', (n % 5) / 3.0, chr(97 + n % 3),
             CASE WHEN n % 4 = 0 THEN NULL ELSE '2026-02-01'::timestamptz + (n % 6) * interval '1 hour' END
      FROM generate_series(${from}, ${to}) n`)
  }

  async function read(keyset: Keyset, cursor: string | null, limit = 7, offset?: number): Promise<PageReply<number>> {
    const page = openPage({
      cursors,
      keyset,
      operation: 'listItems',
      limit,
      cursor: cursor ?? undefined,
      offset,
    })
    const { where, orderBy, values } = page.seek(2)
    const text = `SELECT id, ${keyset.select} FROM ${table} WHERE id > $1::text::bigint AND ${where} ORDER BY ${orderBy} LIMIT ${page.fetch} OFFSET ${page.offset}`
    const { rows } = await schema.database.query<{ id: string }>(text, ['0', ...values])
    return page.close(rows, (row) => Number(row.id))
  }

  async function idsInOrder(keyset: Keyset): Promise<number[]> {
    const { orderBy } = keyset.seek(undefined, 1)
    const { rows } = await schema.database.query<{ id: string }>(`SELECT id FROM ${table} ORDER BY ${orderBy}`)
    return rows.map((row) => Number(row.id))
  }

  test('values that the query holds already are read from there, and cursors stay good for either form', async () => {
    await fill()
    const [plain, sharing] = [{}, { field: 'id' }].map((held) =>
      createKeyset([
        { sql: 'made', type: 'timestamptz' },
        { sql: 'id', type: 'bigint', ...held },
      ]),
    ) as [Keyset, Keyset]
    assert.equal(sharing.select, 'made::text AS key_0')
    const first = await read(plain, null)
    const shared = await read(sharing, null)
    assert.deepEqual(shared, first)
    assert.deepEqual(await read(sharing, first.page.next), await read(plain, shared.page.next))
    assert.equal(createKeyset([{ sql: 'id', type: 'bigint', field: 'id' }]).select, '')
  })

  for (const [name, keyset] of Object.entries(keysets)) {
    test(`forward and back give each row once, in order: ${name}`, async () => {
      await fill()
      const expected = await idsInOrder(keyset)
      const forward: number[][] = []
      let page = await read(keyset, null)
      assert.equal(page.page.previous, null)
      for (; ; page = await read(keyset, page.page.next)) {
        forward.push(page.data)
        if (page.page.next === null) break
      }
      assert.deepEqual(forward.flat(), expected)
      const backward: number[][] = [page.data]
      while (page.page.previous !== null) {
        page = await read(keyset, page.page.previous)
        backward.unshift(page.data)
      }
      assert.deepEqual(backward, forward)
    })

    test(`rows inserted and deleted meanwhile repeat and hide no others: ${name}`, async () => {
      await fill()
      const original = new Set(await idsInOrder(keyset))
      const seen: number[] = []
      let next: string | null = null
      for (let round = 0; ; round++) {
        const page: PageReply<number> = await read(keyset, next)
        seen.push(...page.data)
        next = page.page.next
        if (next === null) break
        await insert(1_000 + round * 10, 1_005 + round * 10)
        // The row the cursor stands beside goes, and the cursor still knows its place.
        await schema.database.query(`DELETE FROM ${table} WHERE id = $1::text::bigint`, [String(page.data.at(-1))])
      }
      assert.equal(new Set(seen).size, seen.length, 'no row twice')
      assert.deepEqual(
        [...original].filter((id) => !seen.includes(id)),
        [],
        'no row hidden',
      )
    })
  }

  const byId = keysets['one column']!

  test('when all that followed is deleted, the way back includes the row the cursor stood beside', async () => {
    await fill()
    const page = await read(byId, null)
    await schema.database.query(`DELETE FROM ${table} WHERE id > 7`)
    const empty = await read(byId, page.page.next)
    assert.deepEqual([empty.data, empty.page.next], [[], null])
    const back = await read(byId, empty.page.previous)
    assert.deepEqual([back.data, back.page.previous], [page.data, null])
  })

  test('a list entered by offset goes on by cursor', async () => {
    await fill()
    const page = await read(byId, null, 5, 20)
    assert.deepEqual(page.data, [21, 22, 23, 24, 25])
    assert.deepEqual((await read(byId, page.page.next, 5)).data, [26, 27, 28, 29, 30])
    assert.deepEqual((await read(byId, page.page.previous, 5)).data, [16, 17, 18, 19, 20])
  })

  test('a page in the middle is found by an index without a sort', async () => {
    await fill()
    await schema.database.query(`CREATE INDEX IF NOT EXISTS items_made ON ${table} (made, id)`)
    const position = { direction: 'next', values: ['2026-01-01 00:00:00.000003+00', '5'] } as const
    const { where, orderBy, values } = keysets['one direction']!.seek(position, 1)
    const plan = await schema.database.transaction(async (tx) => {
      await tx.query('SET LOCAL enable_seqscan = off')
      const text = `EXPLAIN SELECT id FROM ${table} WHERE ${where} ORDER BY ${orderBy} LIMIT 8`
      return (await tx.query<{ 'QUERY PLAN': string }>(text, values)).rows.map((row) => row['QUERY PLAN']).join('\n')
    })
    assert.match(plan, /Index (?:Only )?Scan Backward using items_made/)
    assert.match(plan, /Index Cond: \(ROW\(made, id\) </)
    assert.doesNotMatch(plan, /Sort/)
  })

  test('a cursor and an offset together are refused', async () => {
    await fill()
    const { page } = await read(byId, null)
    await assert.rejects(read(byId, page.next, 7, 3), { code: 'E_VALIDATION' })
  })
})

test('a type that is no type name is refused', () => {
  assert.throws(() => createKeyset([{ sql: 'id', type: 'bigint; DROP' }]), { code: 'E_OPTIONS' })
})

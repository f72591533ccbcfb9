import assert from 'node:assert/strict'
import type { FarBackend, FarKey } from '../far/far_backend.ts'
import { acquire, type Clause, put, readOne, textOf } from './subject.ts'

/** What an operator sees of the store. */
export function browserClauses(clause: Clause): void {
  clause('every key that a pattern matches is found, page by page', async ({ backend }) => {
    const keys = Array.from({ length: 250 }, (_, index) => `page:${index}`)
    for (const key of [...keys, 'other:1']) await put(backend, key, 'x')
    const { found, pages } = await scanAll(backend, 'page:*', 20)
    assert.deepEqual([...found.keys()].sort(), keys.toSorted())
    assert.ok(pages >= 3)
  })

  clause('only * is special in a pattern', async ({ backend }) => {
    const keys = ['a:1', 'a:2', 'a:[1]', 'a:?', 'a:\\*', 'a:{1}', 'a.1', 'b:a:1', 'a:%7B', 'a:_']
    for (const key of keys) await put(backend, key, 'x')
    for (const [pattern, expected] of [
      ['a:1', ['a:1']],
      ['a:?', ['a:?']],
      ['a:_', ['a:_']],
      ['a:[1]', ['a:[1]']],
      ['a:\\*', ['a:\\*']],
      ['a:{*', ['a:{1}']],
      ['a:%*', ['a:%7B']],
      ['*:1', ['a:1', 'b:a:1']],
      ['a.*', ['a.1']],
      ['*', keys],
    ] as const) {
      const { found } = await scanAll(backend, pattern, 100)
      assert.deepEqual([...found.keys()].sort(), [...expected].sort(), pattern)
    }
  })

  clause('a key is shown with its size and the time it has left', async ({ backend, pass }) => {
    await put(backend, 'a:1', 'x'.repeat(1_234), { ttl: 60_000 })
    await pass(20_000)
    const shown = (await scanAll(backend, 'a:*', 10)).found.get('a:1')
    assert.equal(shown?.bytes, 1_234)
    assert.ok(shown.ttl > 30_000 && shown.ttl < 41_000)
  })

  clause('what was invalidated, has expired or is only leased is not shown', async ({ backend, pass }) => {
    await put(backend, 'a:1', 'x')
    await put(backend, 'a:2', 'x', { ttl: 1_000 })
    await put(backend, 'a:3', 'x')
    await backend.entries.invalidate(['a:1'])
    const { version } = await readOne(backend, 'a:4')
    await acquire(backend, 'a:4', version, 'p', 60_000)
    await pass(1_001)
    assert.deepEqual([...(await scanAll(backend, '*', 10)).found.keys()], ['a:3'])
  })

  clause('clearing takes entries, tombstones and leases away, and leaves tags', async ({ backend }) => {
    const keys = Array.from({ length: 300 }, (_, index) => `c:${index}`)
    await backend.entries.write(keys.map((key) => ({ key, envelope: Buffer.from('x'), ttl: 60_000 })))
    await backend.entries.invalidate(['c:1'])
    const nothing = await readOne(backend, 'd:1')
    await acquire(backend, 'd:1', nothing.version, 'p', 60_000)
    const given = await backend.tags.invalidate(['a'])
    await backend.browser.clear()
    assert.equal((await scanAll(backend, '*', 100)).found.size, 0)
    assert.equal(await textOf(backend, 'c:2'), undefined)
    assert.equal((await readOne(backend, 'c:1')).version, nothing.version)
    assert.equal(await acquire(backend, 'd:1', nothing.version, 'q', 60_000), 'granted')
    assert.deepEqual(await backend.tags.numbers(['a'], 0), [given])
  })
}

async function scanAll(
  { browser }: FarBackend,
  pattern: string,
  limit: number,
): Promise<{ found: Map<string, FarKey>; pages: number }> {
  const found = new Map<string, FarKey>()
  let cursor: string | undefined
  let pages = 0
  do {
    const page = await browser.scan(pattern, cursor, limit)
    for (const key of page.keys) found.set(key.key, key)
    cursor = page.next
    pages++
  } while (cursor !== undefined)
  return { found, pages }
}

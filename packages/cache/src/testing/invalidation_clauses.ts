import assert from 'node:assert/strict'
import { TOMBSTONE_MS } from '../far/far_backend.ts'
import { acquire, type Clause, put, readOne, textOf } from './subject.ts'

/** What was invalidated is not read again, and no load that began before brings it back. */
export function invalidationClauses(clause: Clause): void {
  clause('what was invalidated is not read again', async ({ backend }) => {
    await put(backend, 'a:1', 'one')
    await put(backend, 'a:2', 'two')
    await put(backend, 'a:3', 'three')
    await backend.entries.invalidate(['a:1', 'a:3', 'a:1'])
    const readings = await backend.entries.read(['a:1', 'a:2', 'a:3'])
    assert.deepEqual(
      readings.map(({ envelope }) => envelope?.toString()),
      [undefined, 'two', undefined],
    )
  })

  clause('a load that began before an invalidation does not land after it', async ({ backend }) => {
    for (const [key, before] of [
      ['a:1', async () => {}],
      ['a:2', () => put(backend, 'a:2', 'old')],
      ['a:3', () => backend.entries.invalidate(['a:3'])],
    ] as const) {
      await before()
      const { version } = await readOne(backend, key)
      await backend.entries.invalidate([key])
      assert.equal(await put(backend, key, 'late', { expected: version }), false, key)
      assert.equal(await textOf(backend, key), undefined, key)
    }
  })

  clause('a load that began after an invalidation lands', async ({ backend }) => {
    await backend.entries.invalidate(['a:1'])
    const { version } = await readOne(backend, 'a:1')
    assert.equal(await put(backend, 'a:1', 'new', { expected: version }), true)
    assert.equal(await textOf(backend, 'a:1'), 'new')
  })

  clause('a write without an expectation is stored over a tombstone', async ({ backend }) => {
    const nothing = await readOne(backend, 'a:1')
    await backend.entries.invalidate(['a:1'])
    const tombstone = await readOne(backend, 'a:1')
    assert.equal(await put(backend, 'a:1', 'set'), true)
    for (const { version } of [nothing, tombstone])
      assert.equal(await put(backend, 'a:1', 'late', { expected: version }), false)
    assert.equal(await textOf(backend, 'a:1'), 'set')
  })

  clause('a tombstone stays for its whole time, and no longer', async ({ backend, pass }) => {
    const nothing = await readOne(backend, 'a:1')
    await put(backend, 'a:1', 'one', { ttl: 1_000 })
    await backend.entries.invalidate(['a:1'])
    await pass(TOMBSTONE_MS - 5_000)
    assert.equal(await put(backend, 'a:1', 'late', { expected: nothing.version }), false)
    await pass(5_001)
    assert.deepEqual(await readOne(backend, 'a:1'), nothing)
  })

  clause('an invalidation takes the lease of a load away', async ({ backend }) => {
    const { version } = await readOne(backend, 'a:1')
    assert.equal(await acquire(backend, 'a:1', version, 'first', 10_000), 'granted')
    await backend.entries.invalidate(['a:1'])
    assert.equal(await backend.leases.renew('a:1', 'first', 10_000), false)
    const tombstone = await readOne(backend, 'a:1')
    assert.equal(await acquire(backend, 'a:1', tombstone.version, 'second', 10_000), 'granted')
  })

  clause("a load under a lease does not land when the invalidation's tombstone was lost", async ({ backend, lose }) => {
    const { version } = await readOne(backend, 'a:1')
    await acquire(backend, 'a:1', version, 'first', 10_000)
    await backend.entries.invalidate(['a:1'])
    await lose!()
    const write = { expected: version, lease: 'first' }
    assert.equal(await put(backend, 'a:1', 'late', write), false)
    // Not even while somebody else loads it.
    const again = await readOne(backend, 'a:1')
    await acquire(backend, 'a:1', again.version, 'second', 10_000)
    assert.equal(await put(backend, 'a:1', 'late', write), false)
    assert.equal(await textOf(backend, 'a:1'), undefined)
  })
}

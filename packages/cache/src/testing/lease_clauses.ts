import assert from 'node:assert/strict'
import { acquire, type Clause, put, readOne, textOf } from './subject.ts'

/** One holder at a time, for a limited time. */
export function leaseClauses(clause: Clause): void {
  clause('a lease is granted to one of those who ask at the same time', async ({ backend }) => {
    const { version } = await readOne(backend, 'a:1')
    const answers = await Promise.all(
      ['p', 'q', 'r', 's'].map((token) => acquire(backend, 'a:1', version, token, 10_000)),
    )
    assert.deepEqual(answers.sort(), ['granted', 'held', 'held', 'held'])
    assert.equal(await acquire(backend, 'a:2', version, 'q', 10_000), 'granted')
  })

  clause('of many leases asked for together each is answered on its own, in their order', async ({ backend }) => {
    const keys = Array.from({ length: 450 }, (_, index) => `many:${index}`)
    const readings = await backend.entries.read(keys)
    await put(backend, 'many:210', 'one')
    await acquire(backend, 'many:430', readings[430]!.version, 'q', 10_000)
    const wishes = keys.map((key, index) => ({ key, seen: readings[index]!.version, token: 'p' }))
    const answers = await backend.leases.acquire([...wishes, { ...wishes[0]!, token: 'r' }, wishes[1]!], 10_000)
    const expected = keys.map((_, index) => (index === 210 ? 'changed' : index === 430 ? 'held' : 'granted'))
    assert.deepEqual(answers, [...expected, 'held', 'granted'])
    const writes = wishes.map(({ key, seen, token }) => ({
      key,
      envelope: Buffer.from(`of ${key}`),
      ttl: 60_000,
      expected: seen,
      lease: token,
    }))
    const stored = await backend.entries.write(writes)
    assert.deepEqual(
      stored,
      answers.slice(0, 450).map((answer) => answer === 'granted'),
    )
    const texts = (await backend.entries.read(keys)).map(({ envelope }) => envelope?.toString())
    assert.deepEqual(
      texts,
      keys.map((key, index) => (index === 210 ? 'one' : index === 430 ? undefined : `of ${key}`)),
    )
    assert.deepEqual(await backend.leases.acquire([], 10_000), [])
  })

  clause('whoever has seen an older version is told that it changed', async ({ backend }) => {
    const nothing = await readOne(backend, 'a:1')
    await put(backend, 'a:1', 'one')
    assert.equal(await acquire(backend, 'a:1', nothing.version, 'p', 10_000), 'changed')
    const one = await readOne(backend, 'a:1')
    await backend.entries.invalidate(['a:1'])
    assert.equal(await acquire(backend, 'a:1', one.version, 'p', 10_000), 'changed')
    const tombstone = await readOne(backend, 'a:1')
    assert.equal(await acquire(backend, 'a:1', tombstone.version, 'p', 10_000), 'granted')
    await put(backend, 'a:1', 'two')
    assert.equal(await acquire(backend, 'a:1', tombstone.version, 'q', 10_000), 'changed')
  })

  clause('an entry can be loaded anew under a lease, and is read meanwhile', async ({ backend }) => {
    await put(backend, 'a:1', 'one')
    const { version } = await readOne(backend, 'a:1')
    assert.equal(await acquire(backend, 'a:1', version, 'p', 10_000), 'granted')
    assert.equal(await acquire(backend, 'a:1', version, 'q', 10_000), 'held')
    assert.deepEqual((await readOne(backend, 'a:1')).version, version)
    assert.equal(await put(backend, 'a:1', 'two', { expected: version, lease: 'p' }), true)
    assert.equal(await textOf(backend, 'a:1'), 'two')
  })

  clause('the lease of a dead holder is free when its time is over', async ({ backend, pass }) => {
    const { version } = await readOne(backend, 'a:1')
    await acquire(backend, 'a:1', version, 'p', 5_000)
    await pass(4_000)
    assert.equal(await acquire(backend, 'a:1', version, 'q', 5_000), 'held')
    await pass(1_001)
    assert.equal(await acquire(backend, 'a:1', version, 'q', 5_000), 'granted')
  })

  clause(
    "a renewed lease holds for its new time; one that is over or another's is not renewed",
    async ({ backend, pass }) => {
      const { version } = await readOne(backend, 'a:1')
      await acquire(backend, 'a:1', version, 'p', 5_000)
      await pass(4_000)
      assert.equal(await backend.leases.renew('a:1', 'q', 5_000), false)
      assert.equal(await backend.leases.renew('a:1', 'p', 5_000), true)
      await pass(4_000)
      assert.equal(await acquire(backend, 'a:1', version, 'q', 5_000), 'held')
      await pass(1_001)
      assert.equal(await backend.leases.renew('a:1', 'p', 5_000), false)
      assert.equal(await acquire(backend, 'a:1', version, 'q', 5_000), 'granted')
    },
  )

  clause('whoever holds a lease is granted it again, for its new time', async ({ backend, pass }) => {
    const { version } = await readOne(backend, 'a:1')
    await acquire(backend, 'a:1', version, 'p', 5_000)
    await pass(4_000)
    assert.equal(await acquire(backend, 'a:1', version, 'p', 5_000), 'granted')
    await pass(4_000)
    assert.equal(await acquire(backend, 'a:1', version, 'q', 5_000), 'held')
  })

  clause('a lease is freed by its holder and by nobody else', async ({ backend }) => {
    const { version } = await readOne(backend, 'a:1')
    await acquire(backend, 'a:1', version, 'p', 10_000)
    await backend.leases.release('a:1', 'q')
    assert.equal(await acquire(backend, 'a:1', version, 'q', 10_000), 'held')
    await backend.leases.release('a:1', 'p')
    assert.equal(await acquire(backend, 'a:1', version, 'q', 10_000), 'granted')
  })

  clause('a write gives its lease back, also when it is refused', async ({ backend }) => {
    const nothing = await readOne(backend, 'a:1')
    await acquire(backend, 'a:1', nothing.version, 'p', 10_000)
    assert.equal(await put(backend, 'a:1', 'one', { expected: nothing.version, lease: 'p' }), true)
    const one = await readOne(backend, 'a:1')
    assert.equal(await acquire(backend, 'a:1', one.version, 'q', 10_000), 'granted')
    assert.equal(await put(backend, 'a:1', 'late', { expected: nothing.version, lease: 'q' }), false)
    assert.equal(await acquire(backend, 'a:1', one.version, 'r', 10_000), 'granted')
  })

  clause('a write leaves the lease of somebody else alone', async ({ backend }) => {
    await put(backend, 'a:1', 'one')
    const { version } = await readOne(backend, 'a:1')
    await acquire(backend, 'a:1', version, 'p', 10_000)
    await put(backend, 'a:1', 'two', { lease: 'q' })
    await put(backend, 'a:1', 'three')
    const three = await readOne(backend, 'a:1')
    assert.equal(await acquire(backend, 'a:1', three.version, 'q', 10_000), 'held')
  })

  clause(
    "a write that expects nothing under a lease that is over, or another's, is refused",
    async ({ backend, pass }) => {
      const { version } = await readOne(backend, 'a:1')
      await acquire(backend, 'a:1', version, 'p', 5_000)
      assert.equal(await put(backend, 'a:1', 'other', { expected: version, lease: 'q' }), false)
      await pass(5_001)
      assert.equal(await put(backend, 'a:1', 'late', { expected: version, lease: 'p' }), false)
      assert.equal(await put(backend, 'a:2', 'none', { expected: version, lease: 'p' }), false)
      assert.equal(await textOf(backend, 'a:1'), undefined)
      assert.equal(await put(backend, 'a:1', 'free', { expected: version }), true)
    },
  )

  clause('a write that expects an entry is stored also when its lease is over', async ({ backend, pass }) => {
    await put(backend, 'a:1', 'one')
    const { version } = await readOne(backend, 'a:1')
    await acquire(backend, 'a:1', version, 'p', 5_000)
    await pass(5_001)
    assert.equal(await put(backend, 'a:1', 'two', { expected: version, lease: 'p' }), true)
  })
}

import assert from 'node:assert/strict'
import { type Clause, put, readOne, textOf } from './subject.ts'

/** What is written is read, under the conditions that it was written with. */
export function entryClauses(clause: Clause): void {
  clause('nothing lies under a key that was never written, and its version stays the same', async ({ backend }) => {
    const first = await readOne(backend, 'a:1')
    assert.equal(first.envelope, undefined)
    assert.deepEqual(await readOne(backend, 'a:1'), first)
  })

  clause('what was written is read byte for byte, in the order of the keys', async ({ backend }) => {
    const bytes = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256))
    const large = Buffer.alloc(300_000, 'tailwater')
    const stored = await backend.entries.write([
      { key: 'a:1', envelope: bytes, ttl: 60_000 },
      { key: 'a:2', envelope: large, ttl: 60_000 },
    ])
    assert.deepEqual(stored, [true, true])
    const readings = await backend.entries.read(['a:2', 'a:3', 'a:1', 'a:2'])
    assert.deepEqual(
      readings.map(({ envelope }) => envelope),
      [large, undefined, bytes, large],
    )
  })

  clause('many keys are read and written at once', async ({ backend }) => {
    const keys = Array.from({ length: 1_200 }, (_, index) => `many:${index}`)
    await backend.entries.write(keys.map((key) => ({ key, envelope: Buffer.from(key), ttl: 60_000 })))
    const readings = await backend.entries.read(keys)
    assert.deepEqual(
      readings.map(({ envelope }) => envelope?.toString()),
      keys,
    )
  })

  clause('calls with nothing to do do nothing', async ({ backend }) => {
    assert.deepEqual(await backend.entries.read([]), [])
    assert.deepEqual(await backend.entries.write([]), [])
    await backend.entries.invalidate([])
    assert.deepEqual(await backend.tags.numbers([], 0), [])
  })

  clause('keys may hold any characters', async ({ backend }) => {
    const keys = ['a:{1}', 'a:}', 'a:{', 'a:%7B', 'a:*?[x]\\', 'a:é😀', 'a: "\'\n', 'a:{}', 'a:{1}:lease']
    for (const key of keys) await put(backend, key, key)
    for (const key of keys) assert.equal(await textOf(backend, key), key)
  })

  clause('a write that expects the present version is stored, and the version is another then', async ({ backend }) => {
    const nothing = await readOne(backend, 'a:1')
    assert.equal(await put(backend, 'a:1', 'one', { expected: nothing.version }), true)
    const one = await readOne(backend, 'a:1')
    assert.notEqual(one.version, nothing.version)
    assert.equal(await put(backend, 'a:1', 'two', { expected: one.version }), true)
    assert.notEqual((await readOne(backend, 'a:1')).version, one.version)
    assert.equal(await textOf(backend, 'a:1'), 'two')
  })

  clause('a write that expects an older version is refused and changes nothing', async ({ backend }) => {
    const nothing = await readOne(backend, 'a:1')
    await put(backend, 'a:1', 'one')
    const one = await readOne(backend, 'a:1')
    await put(backend, 'a:1', 'two')
    const two = await readOne(backend, 'a:1')
    for (const { version } of [nothing, one])
      assert.equal(await put(backend, 'a:1', 'late', { expected: version }), false)
    assert.deepEqual(await readOne(backend, 'a:1'), two)
  })

  clause('the same bytes written again have another version', async ({ backend }) => {
    await put(backend, 'a:1', 'same')
    const { version } = await readOne(backend, 'a:1')
    await put(backend, 'a:1', 'same')
    assert.equal(await put(backend, 'a:1', 'late', { expected: version }), false)
  })

  clause('of writes at the same time that expect the same version one is stored', async ({ backend }) => {
    for (const before of ['nothing', 'something']) {
      if (before === 'something') await put(backend, 'a:1', 'one')
      const { version } = await readOne(backend, 'a:1')
      const stored = await Promise.all(['x', 'y', 'z'].map((text) => put(backend, 'a:1', text, { expected: version })))
      assert.equal(stored.filter(Boolean).length, 1, before)
    }
  })

  clause('writes of one call are decided each on its own', async ({ backend }) => {
    await put(backend, 'a:1', 'one')
    const [first, second] = await backend.entries.read(['a:1', 'a:2'])
    await put(backend, 'a:1', 'newer')
    const write = (key: string, expected?: string) => ({
      key,
      envelope: Buffer.from('batch'),
      ttl: 60_000,
      ...(expected !== undefined && { expected }),
    })
    const stored = await backend.entries.write([
      write('a:1', first!.version),
      write('a:2', second!.version),
      write('a:3'),
      write('a:4', first!.version),
    ])
    assert.deepEqual(stored, [false, true, true, false])
    const texts = await Promise.all(['a:1', 'a:2', 'a:3', 'a:4'].map((key) => textOf(backend, key)))
    assert.deepEqual(texts, ['newer', 'batch', 'batch', undefined])
  })

  clause('of two writes to one key in one call the later comes after the earlier', async ({ backend }) => {
    const { version } = await readOne(backend, 'a:1')
    const write = (text: string) => ({ key: 'a:1', envelope: Buffer.from(text), ttl: 60_000 })
    assert.deepEqual(await backend.entries.write([write('one'), write('two')]), [true, true])
    assert.equal(await textOf(backend, 'a:1'), 'two')
    const late = { ...write('three'), expected: version }
    assert.deepEqual(await backend.entries.write([late, write('four'), late]), [false, true, false])
    assert.equal(await textOf(backend, 'a:1'), 'four')
  })

  clause('an entry is gone when its time is over, and its version with it', async ({ backend, pass }) => {
    await put(backend, 'a:1', 'one', { ttl: 5_000 })
    const one = await readOne(backend, 'a:1')
    await pass(4_000)
    assert.equal(await textOf(backend, 'a:1'), 'one')
    await pass(1_001)
    const nothing = await readOne(backend, 'a:1')
    assert.equal(nothing.envelope, undefined)
    assert.equal(await put(backend, 'a:1', 'late', { expected: one.version }), false)
    assert.equal(await put(backend, 'a:1', 'new', { expected: nothing.version }), true)
    assert.equal(await textOf(backend, 'a:1'), 'new')
  })

  clause('a write lasts for its own time, not for that of what it replaces', async ({ backend, pass }) => {
    await put(backend, 'a:1', 'one', { ttl: 5_000 })
    await put(backend, 'a:1', 'two', { ttl: 20_000 })
    await put(backend, 'a:2', 'one', { ttl: 20_000 })
    await put(backend, 'a:2', 'two', { ttl: 5_000 })
    await pass(6_000)
    assert.equal(await textOf(backend, 'a:1'), 'two')
    assert.equal(await textOf(backend, 'a:2'), undefined)
  })

  clause('a touch gives an entry a new life, and leaves its version', async ({ backend, pass }) => {
    await put(backend, 'a:1', 'one', { ttl: 5_000 })
    const one = await readOne(backend, 'a:1')
    assert.equal(await backend.entries.touch('a:1', one.version, 10_000), true)
    await pass(6_000)
    assert.deepEqual(await readOne(backend, 'a:1'), one)
    await pass(4_001)
    assert.equal(await textOf(backend, 'a:1'), undefined)
  })

  clause("a touch with any other version than an entry's present one does nothing", async ({ backend, pass }) => {
    const nothing = await readOne(backend, 'a:1')
    assert.equal(await backend.entries.touch('a:1', nothing.version, 60_000), false)
    await put(backend, 'a:1', 'one', { ttl: 5_000 })
    const one = await readOne(backend, 'a:1')
    await put(backend, 'a:1', 'two', { ttl: 5_000 })
    assert.equal(await backend.entries.touch('a:1', one.version, 60_000), false)
    const two = await readOne(backend, 'a:1')
    await pass(5_001)
    assert.equal(await backend.entries.touch('a:1', two.version, 60_000), false)
    assert.equal(await textOf(backend, 'a:1'), undefined)
    await backend.entries.invalidate(['a:1'])
    const tombstone = await readOne(backend, 'a:1')
    assert.equal(await backend.entries.touch('a:1', tombstone.version, 60_000), false)
  })
}

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { deepFreeze } from '../../src/near/freeze.ts'

it('gives the same value back, and what is in it can no longer be changed', () => {
  const value = { name: 'cup', sizes: [{ cm: 8 }], seller: Object.assign(Object.create(null), { city: 'Bursa' }) }
  assert.equal(deepFreeze(value), value)
  assert.throws(() => (value.name = 'mug'), TypeError)
  assert.throws(() => value.sizes.push({ cm: 9 }), TypeError)
  assert.throws(() => (value.sizes[0]!.cm = 9), TypeError)
  assert.throws(() => (value.seller.city = 'Izmir'), TypeError)
})

it('reaches what an object that is already frozen holds', () => {
  const value = Object.freeze({ inner: { count: 1 } })
  deepFreeze(value)
  assert.throws(() => (value.inner.count = 2), TypeError)
})

it('reaches what stands under a symbol, and calls no getter', () => {
  const under = Symbol('under')
  const inner = { count: 1 }
  const value = {
    [under]: inner,
    get expensive(): never {
      throw new Error('called')
    },
  }
  deepFreeze(value)
  assert.throws(() => (inner.count = 2), TypeError)
})

it('comes to an end where an object holds itself, and however deep it is', () => {
  const ring: { self?: unknown } = {}
  ring.self = [ring]
  deepFreeze(ring)
  assert.ok(Object.isFrozen(ring) && Object.isFrozen(ring.self))
  let deep: { inner?: unknown } = {}
  const bottom = deep
  for (let level = 0; level < 100_000; level++) deep = { inner: deep }
  deepFreeze(deep)
  assert.ok(Object.isFrozen(bottom))
})

it('a Map, a Set and a Date refuse to be changed, and can be read as before', () => {
  const value = {
    stock: new Map([['cup', { count: 3 }]]),
    tags: new Set(['new']),
    at: new Date(86_400_000),
  }
  deepFreeze(value)
  const changes = [
    () => value.stock.set('mug', { count: 1 }),
    () => value.stock.delete('cup'),
    () => value.stock.clear(),
    () => (value.stock.get('cup')!.count = 4),
    () => value.tags.add('sale'),
    () => value.tags.delete('new'),
    () => value.tags.clear(),
    () => value.at.setTime(0),
    () => value.at.setUTCFullYear(1999),
  ]
  for (const change of changes) assert.throws(change, TypeError)
  assert.deepEqual(value, { stock: new Map([['cup', { count: 3 }]]), tags: new Set(['new']), at: new Date(86_400_000) })
  assert.equal(JSON.stringify(value.at), '"1970-01-02T00:00:00.000Z"')
  assert.deepEqual(structuredClone(value).stock.set('mug', { count: 1 }).size, 2)
})

it('leaves Buffers and other views alone', () => {
  const value = deepFreeze({ photo: Buffer.from('abc'), points: new Float64Array(2), raw: new ArrayBuffer(2) })
  value.photo[0] = 0x7a
  value.points[1] = 1.5
  assert.equal(value.photo.toString(), 'zbc')
  assert.equal(value.points[1], 1.5)
})

it('leaves instances of classes alone, with what they refer to', () => {
  class Row {
    connection = { isOpen: true }
  }
  const value = deepFreeze({ row: new Row() })
  value.row.connection.isOpen = false
  assert.equal(value.row.connection.isOpen, false)
})

it('gives back what is not an object as it is', () => {
  for (const value of [undefined, null, 'text', 42, 10n, Symbol.iterator]) assert.equal(deepFreeze(value), value)
})

it('can be done twice', () => {
  const value = { at: new Date(0), stock: new Map() }
  assert.equal(deepFreeze(deepFreeze(value)), value)
})

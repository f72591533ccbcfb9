import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeyring } from '@tailwater/core'
import { createCursors, cursorScope, type Position } from '@tailwater/http'
import fc from 'fast-check'

const first = createKeyring(['a'.repeat(40)])
const second = createKeyring(['b'.repeat(40)])
const rotated = createKeyring(['b'.repeat(40), 'a'.repeat(40)])
const cursors = createCursors({ keyring: first })
const scope = cursorScope('listProducts', 'p.id ASC', { category: 3 })
const position: Position = { direction: 'next', values: ['2026-01-01 00:00:00.123456+00', null, '42'] }

const positions = fc.record({
  direction: fc.constantFrom('next' as const, 'previous' as const),
  values: fc.array(fc.option(fc.string({ unit: 'binary' }).map((s) => s.toWellFormed())), {
    minLength: 1,
    maxLength: 4,
  }),
})

test('a cursor gives back the position it was made of', () => {
  fc.assert(
    fc.property(positions, fc.boolean(), (given, inclusive) => {
      const whole = inclusive ? { ...given, inclusive } : { ...given }
      assert.deepEqual(cursors.decode(cursors.encode(whole, scope), scope), whole)
    }),
  )
})

test('a cursor is good for its operation, sort and filters only', () => {
  const cursor = cursors.encode(position, scope)
  const others = [
    cursorScope('listOrders', 'p.id ASC', { category: 3 }),
    cursorScope('listProducts', 'p.id DESC', { category: 3 }),
    cursorScope('listProducts', 'p.id ASC', { category: 4 }),
    cursorScope('listProducts', 'p.id ASC'),
  ]
  for (const other of others) assert.throws(() => cursors.decode(cursor, other), { code: 'E_CURSOR' })
})

test('filters are the same in any order, and absent ones are none', () => {
  assert.equal(cursorScope('l', 's', { a: 1, b: undefined, c: 2 }), cursorScope('l', 's', { c: 2, a: 1 }))
  assert.notEqual(cursorScope('l', 's', { a: 1 }), cursorScope('l', 's', { a: '1' }))
})

test('a cursor survives one rotation of the secret, and ends with the second', () => {
  const cursor = cursors.encode(position, scope)
  assert.deepEqual(createCursors({ keyring: rotated }).decode(cursor, scope), position)
  assert.throws(() => createCursors({ keyring: second }).decode(cursor, scope), { code: 'E_CURSOR' })
})

test('a cursor changed anywhere, or any other text, is refused', () => {
  const cursor = cursors.encode(position, scope)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  fc.assert(
    fc.property(fc.nat(cursor.length - 1), fc.constantFrom(...letters), (at, letter) => {
      fc.pre(cursor[at] !== letter)
      const changed = cursor.slice(0, at) + letter + cursor.slice(at + 1)
      assert.throws(() => cursors.decode(changed, scope), { code: 'E_CURSOR' })
    }),
  )
  fc.assert(fc.property(fc.string(), (text) => assert.throws(() => cursors.decode(text, scope), { code: 'E_CURSOR' })))
  for (const text of [`${cursor}=`, `${cursor} `, cursor.slice(0, -1), 'a'.repeat(5_000), ''])
    assert.throws(() => cursors.decode(text, scope), { code: 'E_CURSOR' })
})

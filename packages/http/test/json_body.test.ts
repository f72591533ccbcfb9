import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseJsonBody } from '../src/validation/json_body.ts'
import { MAX_DEPTH, nestsTooDeep } from '../src/validation/nesting.ts'
import { findUnsafe } from '../src/validation/plain_text.ts'

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value))

/** Texts full of what JSON and our scanning of it look out for. */
const tricky = fc.string({ unit: fc.constantFrom('"', '\\', '[', '{', ']', '}', 'a', '\u2028', '😀') })
const values = fc.jsonValue({ maxDepth: 5 })

function depthOf(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

test('nesting is counted outside of texts, whatever the texts hold', () => {
  fc.assert(
    fc.property(tricky, fc.integer({ min: 0, max: MAX_DEPTH * 2 }), (text, levels) => {
      let value: unknown = text
      for (let i = 0; i < levels; i++) value = i % 2 ? [text, value] : { [text]: value }
      assert.equal(nestsTooDeep(JSON.stringify(value)), depthOf(value) > MAX_DEPTH)
    }),
  )
})

test('every value that is safe is parsed as it is, and every other one refused', () => {
  fc.assert(
    fc.property(values, (value) => {
      const isSafe = findUnsafe(value, '/body').length === 0
      if (isSafe) assert.deepEqual(parseJsonBody(bytes(value)), JSON.parse(JSON.stringify(value)))
      else assert.throws(() => parseJsonBody(bytes(value)), { code: 'E_VALIDATION' })
    }),
  )
})

test('bytes that are no JSON, or no UTF-8, are a fault of syntax', () => {
  for (const text of ['', '{', 'nul', '{"a":1,}', "{'a':1}", '1 2']) {
    assert.throws(() => parseJsonBody(Buffer.from(text)), { code: 'E_BODY_SYNTAX' }, text)
  }
  assert.throws(() => parseJsonBody(Buffer.from([0x22, 0xff, 0x22])), { code: 'E_BODY_SYNTAX' })
})

test('the path of what is unsafe is told, with names escaped as JSON pointers ask', () => {
  const value = { 'a/b~c': [{ x: 'fine' }, { x: 'not\0' }], '\ud800': 1 }
  assert.deepEqual(
    findUnsafe(value, '/body').map(({ path }) => path),
    ['/body/a~1b~0c/1/x', '/body/\ufffd'],
  )
})

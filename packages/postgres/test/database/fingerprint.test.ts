import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { fingerprint, normaliseSql } from '../../src/database/fingerprint.ts'

describe('a fingerprint', () => {
  it('is sixteen hexadecimal digits, the same at each call', () => {
    assert.match(fingerprint('SELECT 1'), /^[0-9a-f]{16}$/)
    assert.equal(fingerprint('SELECT 1'), fingerprint('SELECT 1'))
  })

  it('is that of FNV-1a over 64 bits', () => {
    // Published vectors of the algorithm; the normal form of the text is the text.
    assert.equal(fingerprint('a'), 'af63dc4c8601ec8c')
    assert.equal(fingerprint('foobar'), '85944171f73967e8')
  })

  for (const [form, ...texts] of [
    [
      'select a from t where b=?',
      'SELECT a FROM t WHERE b = 1',
      "select a from t where b='x'",
      'select a\n\tfrom t -- why\n where b = $1;',
    ],
    [
      'select a from t where b in(?)',
      'SELECT a FROM t WHERE b IN (1, 2, 3)',
      'SELECT a FROM t WHERE b IN ($1,$2)',
      "select a from t where b in ( 'x' )",
    ],
    [
      'insert into t(a,b)values(?)',
      'INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4)',
      "INSERT INTO t (a,b) VALUES (1, 'it''s')",
    ],
    [
      'select ?',
      "SELECT E'it\\'s'",
      'SELECT $tag$ SELECT 2 $tag$',
      'SELECT -1.5e3',
      'SELECT NULL',
      'SELECT /* a /* comment */ true',
    ],
    ['select "Case" from t', 'SELECT "Case" FROM t'],
    ['select a2 from t1', 'SELECT a2 FROM t1'],
    ['select a?from t', "SELECT a'x'FROM t"],
  ] as const) {
    it(`has the form ${form}`, () => {
      for (const text of texts) assert.equal(normaliseSql(text), form)
    })
  }

  it('differs between statements that differ in more than constants', () => {
    const texts = [
      'SELECT a FROM t',
      'SELECT b FROM t',
      'SELECT a FROM t WHERE a = 1',
      'SELECT a FROM t WHERE a > 1',
      'SELECT "A" FROM t',
    ]
    assert.equal(new Set(texts.map(fingerprint)).size, texts.length)
  })

  it('ignores constants, white space and comments', () => {
    const literal = fc.oneof(
      fc.integer().map(String),
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .map((number) => (Object.is(number, -0) ? '0' : String(number))),
      fc.string().map((text) => `'${text.replaceAll("'", "''")}'`),
      fc.integer({ min: 1, max: 99 }).map((place) => `$${place}`),
      fc.constantFrom('NULL', 'true', 'FALSE'),
    )
    const gap = fc.constantFrom(' ', '\n', ' \t ', ' -- a note\n', ' /* a note */ ')
    const statement = fc.record({ one: literal, list: fc.array(literal, { minLength: 1 }), limit: literal, gap })
    const write = ({ one, list, limit, gap }: { one: string; list: string[]; limit: string; gap: string }) =>
      [
        'SELECT id, name FROM product WHERE price >',
        one,
        `AND kind IN (${list.join(', ')})`,
        'ORDER BY id LIMIT',
        limit,
      ].join(gap)
    fc.assert(fc.property(statement, statement, (a, b) => assert.equal(normaliseSql(write(a)), normaliseSql(write(b)))))
  })

  it('is defined for any text, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => void assert.match(fingerprint(text), /^[0-9a-f]{16}$/)),
    )
  })
})

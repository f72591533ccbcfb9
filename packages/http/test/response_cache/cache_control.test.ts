import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDirectives, secondsOf } from '../../src/response_cache/cache_control.ts'
import { splitMembers } from '../../src/response_cache/member_list.ts'
import { parseTargeted } from '../../src/response_cache/targeted.ts'

const entries = (directives: ReadonlyMap<string, string | true> | undefined) => directives && [...directives]

describe('a list of members', () => {
  const lists: [header: string, members: string[], isClosed: boolean][] = [
    ['a, b ,c', ['a', 'b', 'c'], true],
    [',, a ,', ['a'], true],
    ['a="x, y", b', ['a="x, y"', 'b'], true],
    [String.raw`a="x\", y", b`, [String.raw`a="x\", y"`, 'b'], true],
    ['a="x, b', ['a="x', 'b'], false],
    ['', [], true],
  ]
  for (const [header, members, isClosed] of lists)
    it(`splits ${JSON.stringify(header)}`, () => assert.deepEqual(splitMembers(header), { members, isClosed }))
})

describe('Cache-Control', () => {
  const read: [header: string, directives: [string, string | true][]][] = [
    [
      'max-age=60, public',
      [
        ['max-age', '60'],
        ['public', true],
      ],
    ],
    ['MAX-AGE="60"', [['max-age', '60']]],
    ['max-age=1, max-age=2', [['max-age', '1']]],
    [
      'private="a, b", no-store',
      [
        ['private', 'a, b'],
        ['no-store', true],
      ],
    ],
    [String.raw`x="a\"b"`, [['x', 'a"b']]],
    ['max-age=60; public', [['max-age', '60']]],
    ['max age=60, no-store', [['no-store', true]]],
    ['private="a, no-store', [['no-store', true]]],
    ['max-age=', [['max-age', '']]],
    ['max-age = 60', []],
    ['', []],
  ]
  for (const [header, directives] of read)
    it(`reads ${JSON.stringify(header)}`, () => assert.deepEqual(entries(parseDirectives(header)), directives))

  const seconds: [value: string, expected: number | undefined][] = [
    ['max-age=60', 60],
    ['max-age="60"', 60],
    ['max-age=060', 60],
    ['max-age=99999999999', 2 ** 31],
    ['max-age=-1', 0],
    ['max-age=1.5', 0],
    ['max-age=1a', 0],
    ['max-age', 0],
    ['public', undefined],
  ]
  for (const [header, expected] of seconds)
    it(`${header} is ${expected} seconds`, () => assert.equal(secondsOf(parseDirectives(header), 'max-age'), expected))
})

describe('a targeted field', () => {
  const read: [header: string | undefined, directives: [string, string | true][] | undefined][] = [
    ['max-age=60', [['max-age', '60']]],
    [
      'max-age=60;x=1, no-store',
      [
        ['max-age', '60'],
        ['no-store', true],
      ],
    ],
    ['max-age=60, max-age=30', [['max-age', '30']]],
    ['no-store=?0, max-age=60', [['max-age', '60']]],
    ['no-store, no-store=?0', []],
    ['no-store=?1', [['no-store', true]]],
    ['Max-Age=60', [['max-age', '60']]],
    ['max-age="60"', undefined],
    ['max-age=60.5', undefined],
    ['max-age', undefined],
    ['max-age=60, &&', undefined],
    ['max-age=60, x="', undefined],
    ['x=', undefined],
    [' ', undefined],
    [undefined, undefined],
  ]
  for (const [header, directives] of read)
    it(`${JSON.stringify(header)} is ${directives ? 'read' : 'not valid, and Cache-Control holds'}`, () =>
      assert.deepEqual(entries(parseTargeted(header)), directives))
})

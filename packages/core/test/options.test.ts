import assert from 'node:assert/strict'
import { it } from 'node:test'
import {
  boolean,
  duration,
  group,
  hasCode,
  integer,
  nearestName,
  number,
  oneOf,
  optional,
  parseDuration,
  parseSize,
  resolveOptions,
  size,
  text,
} from '@tailwater/core'

const fields = {
  max: integer({ min: 1, max: 100, default: 10 }),
  ttl: duration({ default: '5m' }),
  bytes: size({ default: '64mb' }),
  ratio: number({ min: 0, max: 1, default: 0.5 }),
  mode: oneOf(['auto', 'off'], { default: 'auto' }),
  isEager: boolean({ default: false }),
  label: optional(text()),
  retry: group({ attempts: integer({ min: 1, default: 3 }) }),
}

it('fills in every default, in the units the code works in', () => {
  assert.deepEqual(resolveOptions('createX', undefined, fields), {
    max: 10,
    ttl: 300_000,
    bytes: 67_108_864,
    ratio: 0.5,
    mode: 'auto',
    isEager: false,
    label: undefined,
    retry: { attempts: 3 },
  })
})

const refusals: [title: string, input: unknown, message: RegExp][] = [
  ['a number beyond its bounds', { max: 101 }, /createX\.max must be a whole number from 1 to 100, got 101/],
  ['a number given as text', { max: '5' }, /createX\.max must be .* got '5'/],
  ['a fraction where a whole number is due', { max: 1.5 }, /createX\.max/],
  ['not a number', { ratio: Number.NaN }, /createX\.ratio/],
  ['an unknown word', { mode: 'on' }, /createX\.mode must be one of 'auto', 'off', got 'on'/],
  ['a duration without a known unit', { ttl: '5 parsecs' }, /createX\.ttl must be a duration such as/],
  ['a negative duration', { ttl: -1 }, /createX\.ttl/],
  ['a size without a known unit', { bytes: '5 feet' }, /createX\.bytes must be a size such as/],
  ['an empty text', { label: '' }, /createX\.label must be a non-empty string/],
  ['a truthy flag', { isEager: 1 }, /createX\.isEager must be true or false/],
  ['a fault in a nested object, by its path', { retry: { attempts: 0 } }, /createX\.retry\.attempts/],
  ['a misspelt name', { moed: 'off' }, /unknown option 'moed' of createX: did you mean 'mode'\?/],
  ['a name like none of the known ones', { zebra: 1 }, /known options: max, ttl/],
  ['a name of the prototype', JSON.parse('{"__proto__": 1, "constructor": 2}'), /unknown option/],
  ['an array', [], /createX must be an object of options, got an array of 0/],
  ['null', null, /createX must be an object of options, got null/],
]
for (const [title, input, message] of refusals)
  it(`refuses ${title}`, () => {
    assert.throws(
      () => resolveOptions('createX', input, fields),
      (error) => hasCode(error, 'E_OPTIONS') && message.test(error.message),
    )
  })

it('a required option that is absent is named', () => {
  assert.throws(
    () => resolveOptions('createX', {}, { url: text() }),
    /createX\.url must be a non-empty string, got undefined/,
  )
})

it('reads durations and sizes with their units', () => {
  assert.deepEqual(
    ['250ms', '1.5s', '5m', '2h', '1d', 7].map((value) => parseDuration(value)),
    [250, 1_500, 300_000, 7_200_000, 86_400_000, 7],
  )
  assert.deepEqual(
    ['10b', '1kb', '1.5MB', '1gb', 7].map((value) => parseSize(value)),
    [10, 1_024, 1_572_864, 1_073_741_824, 7],
  )
})

it('finds the nearest name by letters swapped, missing and added, and nothing far away', () => {
  const known = ['concurrency', 'timeout', 'ttl']
  assert.equal(nearestName('concurency', known), 'concurrency')
  assert.equal(nearestName('timeuot', known), 'timeout')
  assert.equal(nearestName('Timeout', known), 'timeout')
  assert.equal(nearestName('colour', known), undefined)
})

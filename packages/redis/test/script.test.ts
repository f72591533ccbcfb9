import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { it } from 'node:test'
import { wireCall } from '../src/call.ts'
import { defineScript } from '../src/index.ts'

it('a script carries its name and version, so that two versions are two scripts to the server', () => {
  const lua = 'return 1'
  const [one, two] = [1, 2].map((version) => defineScript({ name: 'job.claim', version, keys: ['queue'], lua }))
  assert.ok(one!.source.startsWith('-- job.claim v1\n'))
  assert.notEqual(one!.sha1, two!.sha1)
  assert.equal(one!.sha1, hash('sha1', one!.source, 'hex'))
})

it('a script takes as many keys as it names, and any number more if it says so', () => {
  const fixed = defineScript({ name: 'fixed', version: 1, keys: ['a', 'b'], lua: 'return 1' })
  const open = defineScript({ name: 'open', version: 1, keys: ['a'], rest: 'others', lua: 'return #KEYS' })
  for (const keys of [['1'], ['1', '2', '3']])
    assert.throws(() => wireCall({ script: fixed, keys }, 'hash'), { code: 'E_OPTIONS' })
  assert.throws(() => wireCall({ script: open, keys: [] }, 'hash'), { code: 'E_OPTIONS' })
  assert.deepEqual(wireCall({ script: open, keys: ['1'] }, 'hash').args, [open.sha1, 1, '1'])
  assert.deepEqual(wireCall({ script: open, keys: ['1', '2', '3'] }, 'hash').args, [open.sha1, 3, '1', '2', '3'])
})

it('a script without a proper name or version is refused', () => {
  assert.throws(() => defineScript({ name: 'a\nb', version: 1, keys: [], lua: '' }), { code: 'E_OPTIONS' })
  assert.throws(() => defineScript({ name: 'a', version: 0, keys: [], lua: '' }), { code: 'E_OPTIONS' })
})

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { it } from 'node:test'
import { defineScript } from '../src/index.ts'

it('a script carries its name and version, so that two versions are two scripts to the server', () => {
  const lua = 'return 1'
  const [one, two] = [1, 2].map((version) => defineScript({ name: 'job.claim', version, keys: ['queue'], lua }))
  assert.ok(one!.source.startsWith('-- job.claim v1\n'))
  assert.notEqual(one!.sha1, two!.sha1)
  assert.equal(one!.sha1, hash('sha1', one!.source, 'hex'))
})

it('a script without a proper name or version is refused', () => {
  assert.throws(() => defineScript({ name: 'a\nb', version: 1, keys: [], lua: '' }), { code: 'E_OPTIONS' })
  assert.throws(() => defineScript({ name: 'a', version: 0, keys: [], lua: '' }), { code: 'E_OPTIONS' })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createKeyspace, keySlot } from '../src/index.ts'

describe('the slot of a key', () => {
  it('is what the specification of Redis Cluster says', () => {
    assert.equal(keySlot('123456789'), 0x31c3 % 16_384)
    assert.equal(keySlot(''), 0)
    assert.equal(keySlot('foo'), 12_182)
    assert.equal(keySlot(Buffer.from('foo')), 12_182)
  })

  it('is that of the first hash tag that is not empty', () => {
    assert.equal(keySlot('{user1000}.following'), keySlot('{user1000}.followers'))
    assert.equal(keySlot('foo{bar}{zap}'), keySlot('bar'))
    assert.notEqual(keySlot('foo{}{bar}'), keySlot('bar'))
    assert.equal(keySlot('foo{{bar}}zap'), keySlot('{bar'))
  })

  it('is one for all keys of a keyspace, and lies in the cluster', () => {
    const tag = fc.string({ minLength: 1 }).filter((text) => !/[{}]/.test(text))
    fc.assert(
      fc.property(tag, fc.string(), fc.string(), (name, a, b) => {
        const key = createKeyspace('app', name)
        assert.equal(keySlot(key(a)), keySlot(key(b, 7)))
        assert.ok(keySlot(key(a)) < 16_384)
      }),
    )
  })
})

it('a keyspace refuses a tag that would end early', () => {
  assert.equal(createKeyspace('app', 'queue:mail')('waiting', 3), 'app:{queue:mail}:waiting:3')
  assert.throws(() => createKeyspace('app', 'a}b'), { code: 'E_OPTIONS' })
  assert.throws(() => createKeyspace('app', ''), { code: 'E_OPTIONS' })
})

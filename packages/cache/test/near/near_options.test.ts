import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasCode, resolveOptions } from '@tailwater/core'
import { Lru } from '../../src/near/lru.ts'
import { type NearOptions, nearFields } from '../../src/near/near_options.ts'

const resolve = (options: NearOptions) => resolveOptions('near', options, nearFields)

it('a near tier has its bounds and its policy by default', () => {
  assert.deepEqual(resolve({}), { maxEntries: 10_000, maxBytes: 67_108_864, policy: 's3-fifo' })
})

it('takes a policy by its name or as a function', () => {
  const own = () => new Lru()
  assert.equal(resolve({ policy: 'sieve' }).policy, 'sieve')
  assert.equal(resolve({ policy: own }).policy, own)
})

it('refuses a policy that it does not know, by the names of those that it does', () => {
  for (const policy of ['lfu', 'toString', 7])
    assert.throws(
      () => resolve({ policy } as never),
      (error) => hasCode(error, 'E_OPTIONS') && /'s3-fifo', 'lru', 'sieve', 'clock'/.test((error as Error).message),
    )
})

it('refuses a tier for no entries', () => {
  assert.throws(() => resolve({ maxEntries: 0 }), /near\.maxEntries/)
})

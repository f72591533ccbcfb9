import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createKeyring, hasCode } from '@tailwater/core'

const first = 'a'.repeat(32)
const second = 'b'.repeat(32)

it('keys differ by purpose and secret, and are the same at every start', () => {
  const keys = [
    createKeyring([first]).keys('cursor')[0],
    createKeyring([first]).keys('token')[0],
    createKeyring([second]).keys('cursor')[0],
  ]
  assert.equal(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size, 3)
  assert.deepEqual(createKeyring([first]).keys('cursor'), createKeyring([first]).keys('cursor'))
})

it('while rotating, the new secret signs and the old one still verifies', () => {
  const [signing, verifying] = createKeyring([second, first]).keys('cursor')
  assert.deepEqual(signing, createKeyring([second]).keys('cursor')[0])
  assert.deepEqual(verifying, createKeyring([first]).keys('cursor')[0])
})

it('a short secret is refused without being shown', () => {
  assert.throws(
    () => createKeyring(['hunter2']),
    (error) => hasCode(error, 'E_OPTIONS') && !error.message.includes('hunter2'),
  )
  assert.throws(() => createKeyring([]), /one secret/)
})

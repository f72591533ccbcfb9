import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { createMac } from '../src/pagination/mac.ts'

describe('the signature of cursors', () => {
  // RFC 4231, test case 2.
  it('is HMAC-SHA-256', () => {
    assert.equal(
      createMac(Buffer.from('Jefe'))(Buffer.from('what do ya want for nothing?')).toString('hex'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
  })

  it("agrees with Node's for keys up to a block and messages of any length", () => {
    for (let size = 0; size <= 64; size++) {
      const key = randomBytes(size)
      const message = randomBytes(size * 7)
      assert.deepEqual(createMac(key)(message), createHmac('sha256', key).update(message).digest())
    }
  })
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { serializeList } from '../src/structured_field.ts'

it('a list of structured fields is written as RFC 9651 says', () => {
  assert.equal(
    serializeList([
      { value: 'say "hi" \\ é', parameters: { q: 100, w: 60, flag: true, off: false } },
      { value: 7, parameters: { pk: Buffer.from('key'), qu: 'content-bytes' } },
    ]),
    '"say \\"hi\\" \\\\ ?";q=100;w=60;flag;off=?0, 7;pk=:a2V5:;qu="content-bytes"',
  )
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { toError } from '@tailwater/core'

it('an error is made of whatever was thrown, also of what has no text', () => {
  const error = new RangeError('far')
  assert.equal(toError(error), error)
  const speechless = {
    toString() {
      throw new Error('no')
    },
  }
  const texts = ['plain', 5n, Symbol('s'), undefined, null, Object.create(null), speechless]
  assert.deepEqual(
    texts.map((thrown) => toError(thrown).message),
    ['plain', '5', 'Symbol(s)', 'undefined', 'null', '[object Object]', '[object Object]'],
  )
})

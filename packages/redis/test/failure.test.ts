import assert from 'node:assert/strict'
import { it } from 'node:test'
import { toRedisError } from '../src/failure.ts'

it('a reply that says "not now", or "not here any more", is that of a server that cannot be used, and no fault of the command', () => {
  for (const message of [
    'MOVED 9631 127.0.0.1:6380',
    'ASK 9631 127.0.0.1:6380',
    'LOADING Redis is loading',
    'READONLY no',
  ]) {
    const error = toRedisError(Object.assign(new Error(message), { name: 'ReplyError' }), 'here')
    assert.equal(error.code, 'E_REDIS_UNAVAILABLE', message)
  }
  const wrong = toRedisError(Object.assign(new Error('WRONGTYPE no'), { name: 'ReplyError' }), 'here')
  assert.equal(wrong.code, 'E_REDIS_COMMAND')
})

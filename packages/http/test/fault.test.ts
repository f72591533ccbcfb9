import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpError, listen, TailwaterError } from '@tailwater/core'
import { HttpProblem, problem, problemReply, toProblem } from '@tailwater/http'
import { faultReply } from '../src/fault.ts'
import { exchangeOf } from './exchange_fixture.ts'

const shown = (error: unknown) => {
  const { status, code, message } = toProblem(error)
  return [status, code, message] as const
}

test('a problem is told as it is', () => {
  const given = problem(409, 'E_TAKEN', 'That name is taken.', { headers: { 'retry-after': '1' } })
  assert.equal(toProblem(given), given)
  const reply = problemReply(given, exchangeOf({ path: '/products' }))
  assert.equal(reply.headers['content-type'], 'application/problem+json')
  assert.equal(reply.headers['retry-after'], '1')
  assert.deepEqual(JSON.parse(String(reply.body)), {
    type: 'urn:tailwater:error:E_TAKEN',
    title: 'Conflict',
    status: 409,
    detail: 'That name is taken.',
    instance: '/products',
    code: 'E_TAKEN',
    requestId: '0190a0b0-0000-7000-8000-000000000000',
  })
})

test('a database that is away asks the client to come back', () => {
  for (const code of ['E_DATABASE_UNAVAILABLE', 'E_DATABASE_TIMEOUT']) {
    const told = toProblem(new TailwaterError(code, 'connect ECONNREFUSED 10.0.0.5:5432'))
    assert.deepEqual([told.status, told.code, told.headers['retry-after']], [503, 'E_UNAVAILABLE', '2'])
    assert.doesNotMatch(told.message, /10\.0\.0\.5/)
  }
})

test('a value that a column cannot hold is the client’s fault; any other statement that fails is ours', () => {
  const query = (sqlState: string) => new TailwaterError('E_QUERY', 'relation "users" …', { sqlState })
  for (const state of ['22P02', '22003', '22021'])
    assert.deepEqual(shown(query(state)).slice(0, 2), [400, 'E_VALIDATION'])
  for (const state of ['23505', '42P01', 'XX000'])
    assert.deepEqual(shown(query(state)).slice(0, 2), [500, 'E_INTERNAL'])
  for (const state of ['22P02', '42P01']) assert.doesNotMatch(shown(query(state))[2], /relation/)
})

test('tokens and cursors that are refused are client errors', () => {
  const token = toProblem(new TailwaterError('E_TOKEN_EXPIRED', 'the token has expired'))
  assert.deepEqual([token.status, token.code], [401, 'E_TOKEN_EXPIRED'])
  assert.match(token.headers['www-authenticate']!, /^Bearer/)
  const cursor = toProblem(new TailwaterError('E_CURSOR', 'no'))
  assert.deepEqual([cursor.status, cursor.errors?.[0]?.path], [400, '/query/cursor'])
})

test('other frameworks’ client errors are translated', () => {
  const of = (fields: object) => Object.assign(new Error('internals'), fields)
  assert.deepEqual(shown(of({ statusCode: 413 })).slice(0, 2), [413, 'E_BODY_TOO_LARGE'])
  assert.deepEqual(shown(of({ status: 415 })).slice(0, 2), [415, 'E_MEDIA_TYPE'])
  assert.deepEqual(shown(of({ status: 400, type: 'entity.parse.failed' })).slice(0, 2), [400, 'E_BODY_SYNTAX'])
  assert.deepEqual(shown(of({ statusCode: 400, code: 'FST_ERR_CTP_EMPTY_JSON_BODY' })).slice(0, 2), [
    400,
    'E_BODY_SYNTAX',
  ])
  assert.deepEqual(shown(of({ statusCode: 418 })), [418, 'E_BAD_REQUEST', 'The request cannot be understood.'])
  assert.deepEqual(shown(new URIError('x')).slice(0, 2), [400, 'E_URL_ENCODING'])
})

test('whatever else is thrown is a 500 without internals, and its cause is published', () => {
  const events: Error[] = []
  const stop = listen(httpError, ({ error }) => void events.push(error))
  const thrown = new Error('password=hunter2')
  for (const one of [thrown, 'text', undefined, Object.assign(new Error('x'), { statusCode: 299 })]) {
    const reply = faultReply(one, exchangeOf())
    assert.equal(reply.status, 500)
    assert.doesNotMatch(String(reply.body), /hunter2/)
  }
  stop()
  assert.equal(events.length, 4)
  assert.equal(events[0], thrown)
})

test('a problem with a status below 500 is not published', () => {
  const stop = listen(httpError, () => assert.fail('published'))
  faultReply(new HttpProblem(404, 'E_X', 'x'), exchangeOf())
  stop()
})

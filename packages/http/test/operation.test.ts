import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { httpError, listen } from '@tailwater/core'
import {
  fieldsQuery,
  json,
  noContent,
  type OperationOptions,
  problem,
  type Route,
  type RouteSchema,
  route,
} from '@tailwater/http'
import { fetchRouter } from '@tailwater/http/fetch'
import { Type } from 'typebox'

/** Answers one request of one route. */
async function answer(
  schema: RouteSchema,
  handler: Route['handler'],
  given: { target?: string; init?: RequestInit; options?: OperationOptions } = {},
) {
  const method = given.init?.method === 'POST' ? 'POST' : 'GET'
  const one = route({ method, path: '/x', id: 'x', summary: '', schema, handler: handler as never })
  const handle = fetchRouter([one], given.options ?? {})
  const response = await handle(new Request(`http://localhost/x${given.target ?? ''}`, given.init))
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

const any = { response: { 200: Type.Unknown() } }
const echoQuery = (properties: Parameters<typeof Type.Object>[0], target: string) =>
  answer({ ...any, query: Type.Object(properties) }, ({ query }) => query as unknown as object, { target })

describe('query parameters', () => {
  test('numbers are read in plain decimal notation only', async () => {
    for (const [text, value] of [
      ['0', 0],
      ['-1.5', -1.5],
      ['12', 12],
    ] as const)
      assert.deepEqual((await echoQuery({ n: Type.Number() }, `?n=${text}`)).body, { n: value })
    for (const text of ['', '0x10', '1e3', '+1', ' 1', '1 ', '007', 'NaN', 'Infinity', '1,5', '--1'])
      assert.equal((await echoQuery({ n: Type.Number() }, `?n=${encodeURIComponent(text)}`)).status, 400, text)
  })

  test('booleans are the words true and false', async () => {
    assert.deepEqual((await echoQuery({ b: Type.Boolean() }, '?b=false')).body, { b: false })
    for (const text of ['1', 'yes', 'TRUE', ''])
      assert.equal((await echoQuery({ b: Type.Boolean() }, `?b=${text}`)).status, 400)
  })

  test('one value makes a list too, and several values no single one', async () => {
    const list = { n: Type.Array(Type.Integer()) }
    assert.deepEqual((await echoQuery(list, '?n=1')).body, { n: [1] })
    assert.deepEqual((await echoQuery(list, '?n=1&n=2')).body, { n: [1, 2] })
    assert.equal((await echoQuery({ n: Type.Integer() }, '?n=1&n=2')).status, 400)
  })

  test('a union takes what fits one of its branches', async () => {
    const union = { n: Type.Union([Type.Integer(), Type.Literal('all')]) }
    assert.deepEqual((await echoQuery(union, '?n=3')).body, { n: 3 })
    assert.deepEqual((await echoQuery(union, '?n=all')).body, { n: 'all' })
    assert.equal((await echoQuery(union, '?n=some')).status, 400)
  })

  test('plus signs are spaces, and an encoded plus stays one', async () => {
    assert.deepEqual((await echoQuery({ q: Type.String() }, '?q=a+b%2Bc')).body, { q: 'a b+c' })
  })

  test('a route without a query schema takes no parameters', async () => {
    const { status, body } = await answer(any, () => ({}), { target: '?a=1' })
    assert.deepEqual([status, body.errors[0].path], [400, '/query/a'])
  })
})

describe('bodies', () => {
  const post = (schema: Parameters<typeof Type.Object>[0], body: string) =>
    answer({ ...any, body: Type.Object(schema) }, ({ body: read }) => read as unknown as object, {
      init: { method: 'POST', body, headers: { 'content-type': 'application/json' } },
    })

  test('fields of intersections are known together, and others refused', async () => {
    const both = Type.Intersect([Type.Object({ a: Type.String() }), Type.Object({ b: Type.String() })])
    assert.equal((await post({ both }, '{"both":{"a":"1","b":"2"}}')).status, 200)
    const { status, body } = await post({ both }, '{"both":{"a":"1","b":"2","c":"3"}}')
    assert.deepEqual([status, body.errors[0].path], [400, '/body/both/c'])
  })

  test('records take any field', async () => {
    assert.equal((await post({ map: Type.Record(Type.String(), Type.Number()) }, '{"map":{"x":1}}')).status, 200)
  })

  test('a constructor with a prototype is refused, the word alone is not', async () => {
    const open = { map: Type.Record(Type.String(), Type.Unknown()) }
    assert.equal((await post(open, '{"map":{"constructor":"mason"}}')).status, 200)
    const { body } = await post(open, '{"map":{"constructor":{"prototype":{}}}}')
    assert.equal(body.errors[0].path, '/body/map/constructor')
  })

  test('many faults are told of twenty at most', async () => {
    const list = JSON.stringify({ list: Array.from({ length: 500 }, () => 'x') })
    assert.equal((await post({ list: Type.Array(Type.Integer()) }, list)).body.errors.length, 20)
    const huge = JSON.stringify({ list: Array.from({ length: 50_000 }, () => 'x') })
    assert.equal((await post({ list: Type.Array(Type.Integer()) }, huge)).body.errors.length, 1)
  })

  test('types with a suffix and a charset of UTF-8 are JSON', async () => {
    for (const type of [
      'application/json; charset=utf-8',
      'application/vnd.shop+json',
      'Application/JSON;charset="UTF-8"',
    ]) {
      const init = { method: 'POST', body: '{}', headers: { 'content-type': type } }
      assert.equal((await answer({ ...any, body: Type.Object({}) }, () => ({}), { init })).status, 200, type)
    }
    for (const type of ['application/json; charset=latin1', 'application/jsonp', 'text/json']) {
      const init = { method: 'POST', body: '{}', headers: { 'content-type': type } }
      assert.equal((await answer({ ...any, body: Type.Object({}) }, () => ({}), { init })).status, 415, type)
    }
  })

  test('an optional body may be left out', async () => {
    const schema = { ...any, body: Type.Optional(Type.Object({ a: Type.String() })) }
    const { body } = await answer(schema, (request) => ({ got: request.body === undefined }), {
      init: { method: 'POST' },
    })
    assert.deepEqual(body, { got: true })
  })
})

describe('headers', () => {
  test('those described are checked and converted, all others let through', async () => {
    const schema = { ...any, headers: Type.Object({ 'x-count': Type.Integer() }) }
    const echo: Route['handler'] = ({ headers }) => headers as unknown as object
    assert.deepEqual((await answer(schema, echo, { init: { headers: { 'x-count': '3', 'x-other': 'a' } } })).body, {
      'x-count': 3,
    })
    const { status, body } = await answer(schema, echo)
    assert.deepEqual([status, body.errors[0].path], [400, '/headers/x-count'])
  })
})

describe('replies', () => {
  const Thing = Type.Object({ id: Type.Integer(), name: Type.String() })
  const schema: RouteSchema = { query: Type.Object(fieldsQuery), response: { 200: Thing, 204: undefined } }
  const checked = { checkResponses: true }

  test('a value with a status of its own is still a value', async () => {
    const order = { status: 'paid', headers: 3 }
    assert.deepEqual((await answer(any, () => order)).body, order)
  })

  test('a reply that its schema does not describe is a fault of ours', async () => {
    const stop = listen(httpError, ({ error }) => assert.match(error.message, /x replied \d+, but/))
    const wrong = [
      () => ({ id: 1 }),
      () => ({ id: 'a', name: 'b' }),
      () => ({ id: 1, name: 'b', secret: 'c' }),
      () => json({ id: 1, name: 'b' }, { status: 201 }),
      () => json({}, { status: 204 }),
    ]
    for (const handler of wrong) {
      const { status, body } = await answer(schema, handler, { options: checked })
      assert.deepEqual([status, body.code], [500, 'E_RESPONSE_SCHEMA'])
    }
    stop()
    assert.equal((await answer(schema, () => ({ id: 'a' }))).status, 200)
  })

  test('one that fits is sent, and sparse fields are not missed', async () => {
    assert.equal((await answer(schema, () => ({ id: 1, name: 'b' }), { options: checked })).status, 200)
    assert.equal((await answer(schema, () => noContent(), { options: checked })).status, 204)
    const sparse = await answer(schema, () => ({ id: 1 }), { options: checked, target: '?fields=id' })
    assert.equal(sparse.status, 200)
  })

  test('a problem may be returned, and no other error is sent as a value', async () => {
    assert.equal((await answer(any, () => problem(409, 'E_TAKEN', 'Taken.'))).body.code, 'E_TAKEN')
    assert.equal((await answer(any, () => new Error('secret'))).body.code, 'E_INTERNAL')
  })

  test('a handler that returns nothing is a fault of ours', async () => {
    assert.equal((await answer(any, (() => undefined) as never)).status, 500)
  })
})

test('two operations of one id, or one method and path, are refused when they are mounted', () => {
  const make = (id: string, path: string) =>
    route({ method: 'GET', path, id, summary: '', schema: any, handler: () => ({}) })
  assert.throws(() => fetchRouter([make('a', '/a'), make('a', '/b')]), { code: 'E_ROUTE' })
  assert.throws(() => fetchRouter([make('a', '/a/:id'), make('b', '/a/:name')]), { code: 'E_ROUTE' })
})

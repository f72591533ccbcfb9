import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpError, listen } from '@tailwater/core'
import {
  createFields,
  Email,
  Id,
  Nullable,
  OneOf,
  type ProblemBody,
  pageQuery,
  route,
  Text,
  Timestamp,
} from '@tailwater/http'
import { fetchRouter } from '@tailwater/http/fetch'
import fc from 'fast-check'
import { Type } from 'typebox'

const Thing = Type.Object({
  name: Text(50),
  price: Type.Number({ minimum: 0, maximum: 1e9 }),
  state: OneOf(['draft', 'active']),
  email: Type.Optional(Email),
  since: Type.Optional(Nullable(Timestamp)),
  tags: Type.Optional(Type.Array(Text(10), { maxItems: 5 })),
  attributes: Type.Optional(Type.Record(Type.String({ maxLength: 20 }), Type.Union([Type.String(), Type.Number()]))),
})
const fields = createFields(Thing)

const handle = fetchRouter([
  route({
    method: 'POST',
    path: '/things/:id',
    id: 'change',
    summary: '',
    bodyLimit: 5_000,
    schema: {
      params: Type.Object({ id: Id }),
      query: Type.Object({ ...pageQuery, fields: Type.Optional(Type.String()), deep: Type.Optional(Type.Boolean()) }),
      body: Thing,
      response: { 200: Type.Unknown() },
    },
    handler: ({ query, body }) => fields.parse(query.fields).pick(body),
  }),
])

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom("'; DROP TABLE x;--", '\0', '\ud800', '__proto__', '1e999'),
)
const anyValue = fc.oneof(
  { weight: 3, arbitrary: anyText },
  fc.double(),
  fc.maxSafeInteger(),
  fc.constantFrom(null, true, [], {}),
)
const nearBody = fc.record(
  {
    name: anyValue,
    price: anyValue,
    state: anyValue,
    email: anyValue,
    since: anyValue,
    tags: fc.array(anyValue),
    attributes: fc.dictionary(anyText, anyValue),
    constructor: anyValue,
  },
  { requiredKeys: [] },
)
const body = fc.oneof(
  nearBody.map((value) => JSON.stringify(value)),
  fc.json(),
  anyText.map((text) => text.toWellFormed()),
)
const encoded = fc.oneof(
  anyText.map((text) => encodeURIComponent(text.toWellFormed())),
  fc.constantFrom('%', '%zz', '%c0%80', '%00', '1', '9007199254740993'),
)
const query = fc.array(
  fc.tuple(fc.constantFrom('limit', 'cursor', 'fields', 'deep', 'total', '__proto__', 'x'), encoded),
  { maxLength: 4 },
)

test('whatever is sent, the answer is 200 or a problem of the client’s, with a path where a field is wrong', async () => {
  const stop = listen(httpError, ({ error }) => assert.fail(error))
  const seen = new Set<number>()
  await fc.assert(
    fc.asyncProperty(encoded, query, body, async (id, pairs, text) => {
      const target = `http://localhost/things/${id}?${pairs.map((pair) => pair.join('=')).join('&')}`
      const init = { method: 'POST', body: text, headers: { 'content-type': 'application/json' } }
      const response = await handle(new Request(target, init))
      seen.add(response.status)
      if (response.status === 200) return
      const told = (await response.json()) as ProblemBody
      assert.ok([400, 404, 413].includes(response.status), `${response.status} ${told.detail}`)
      assert.equal(response.headers.get('content-type'), 'application/problem+json')
      if (told.code === 'E_VALIDATION') assert.match(told.errors![0]!.path, /^\/(?:params|query|body)(?:\/|$)/)
    }),
    { numRuns: 2_000 },
  )
  stop()
  assert.ok(seen.has(400))
})

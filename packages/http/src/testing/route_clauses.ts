import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { isUuid } from '@tailwater/core'
import type { ProblemBody } from '../problem.ts'
import type { AdapterUnderTest, Exceptions } from './adapter_under_test.ts'
import { type Answer, ask, begin, clauseOf, gate, responseTo } from './contract_client.ts'
import { contractRoutes } from './contract_routes.ts'

/** Checks that a reply is a problem, and gives its body. */
function problemOf(answer: Answer, status: number, code: string): ProblemBody {
  assert.equal(answer.status, status, answer.text)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  const body = answer.json<ProblemBody>()
  assert.equal(body.code, code)
  assert.equal(body.status, status)
  assert.equal(body.type, `urn:tailwater:error:${code}`)
  assert.equal(body.requestId, answer.headers['x-request-id'])
  return body
}

const pathsOf = (body: ProblemBody) => (body.errors ?? []).map((error) => error.path).sort()

/** What every adapter promises of routes. */
export function routeClauses(subject: AdapterUnderTest, except: Exceptions): void {
  const clause = clauseOf(except)
  const open = () => subject.serve(contractRoutes(), { basePath: '/api', checkResponses: true })

  clause('a route answers with its parameters converted and defaults filled in', open, async (served, journal) => {
    const answer = await ask(served, '/api/things/7?tag=a&tag=b&deep=true')
    assert.equal(answer.status, 200)
    const { context, ...rest } = answer.json()
    assert.deepEqual(rest, { id: 7, limit: 20, tag: ['a', 'b'], deep: true })
    assert.equal(context, answer.headers['x-request-id'])
    assert.ok(isUuid(String(context)))
    const event = await journal.request('/api/things/7')
    assert.equal(event.requestId, context)
    assert.equal(event.route, '/api/things/:id')
    assert.equal(event.status, 200)
    assert.equal(event.bytes, Buffer.byteLength(answer.text))
    assert.equal(event.aborted, false)
  })

  clause('a body is read, checked, and handled in the context of its request', open, async (served) => {
    const answer = await ask(served, '/api/things', { body: '{"name":"é","price":1.5}' })
    assert.deepEqual(answer.json(), { name: 'é', price: 1.5, context: answer.headers['x-request-id'] })
  })

  clause('every fault of params and query is told with its path', open, async (served) => {
    const body = problemOf(await ask(served, '/api/things/x?limit=500&nmae=a'), 400, 'E_VALIDATION')
    assert.deepEqual(pathsOf(body), ['/params/id', '/query/limit', '/query/nmae'])
    assert.match(body.errors!.find((e) => e.path === '/query/nmae')!.message, /did you mean 'name'/)
  })

  clause('a body is not converted, and its unknown fields are refused', open, async (served) => {
    const body = await ask(served, '/api/things', { body: '{"name":7,"price":"1","extra":{"note":"a","more":1}}' })
    assert.deepEqual(pathsOf(problemOf(body, 400, 'E_VALIDATION')), ['/body/extra/more', '/body/name', '/body/price'])
  })

  clause('texts that the database or UTF-8 cannot hold are refused with their path', open, async (served) => {
    const nul = await ask(served, '/api/things', { body: '{"name":"a\\u0000","price":1}' })
    assert.deepEqual(pathsOf(problemOf(nul, 400, 'E_VALIDATION')), ['/body/name'])
    const half = await ask(served, '/api/things', { body: '{"name":"\\ud800","price":1}' })
    assert.deepEqual(pathsOf(problemOf(half, 400, 'E_VALIDATION')), ['/body/name'])
    const query = await ask(served, '/api/things/1?name=%00')
    assert.deepEqual(pathsOf(problemOf(query, 400, 'E_VALIDATION')), ['/query/name'])
  })

  clause('keys that reach a prototype are refused', open, async (served) => {
    const proto = await ask(served, '/api/things', { body: '{"name":"a","price":1,"__proto__":{"x":1}}' })
    assert.deepEqual(pathsOf(problemOf(proto, 400, 'E_VALIDATION')), ['/body/__proto__'])
    const hidden = await ask(served, '/api/things', { body: '{"name":"a","price":1,"__pr\\u006fto__":{"x":1}}' })
    assert.deepEqual(pathsOf(problemOf(hidden, 400, 'E_VALIDATION')), ['/body/__proto__'])
    const query = await ask(served, '/api/things/1?__proto__=1')
    assert.deepEqual(pathsOf(problemOf(query, 400, 'E_VALIDATION')), ['/query/__proto__'])
  })

  clause('a body that is no JSON, of another type, missing or not wanted is refused', open, async (served) => {
    problemOf(await ask(served, '/api/things', { body: '{"name":' }), 400, 'E_BODY_SYNTAX')
    problemOf(
      await ask(served, '/api/things', { body: Buffer.from('{"name":"\xff"}', 'latin1') }),
      400,
      'E_BODY_SYNTAX',
    )
    problemOf(
      await ask(served, '/api/things', { body: 'a=1', headers: { 'content-type': 'text/plain' } }),
      415,
      'E_MEDIA_TYPE',
    )
    problemOf(await ask(served, '/api/things', { method: 'POST' }), 400, 'E_VALIDATION')
    problemOf(await ask(served, '/api/things/1', { method: 'DELETE', body: '{}' }), 400, 'E_BODY_UNEXPECTED')
  })

  clause('a body beyond the limit of its route is refused, announced or not', open, async (served) => {
    const body = JSON.stringify({ name: 'a'.repeat(20_000), price: 1 })
    problemOf(await ask(served, '/api/things', { body }), 413, 'E_BODY_TOO_LARGE')
    const sent = begin(served.url, '/api/things', { method: 'POST', headers: { 'content-type': 'application/json' } })
    // Written in two, so that Node does not announce the length.
    sent.write(body.slice(0, 100))
    sent.end(body.slice(100))
    assert.equal((await responseTo(sent)).statusCode, 413)
  })

  clause('a body in a content coding is refused as such', open, async (served) => {
    const body = gzipSync('{"name":"a","price":1}')
    const refused = await ask(served, '/api/things', { body, headers: { 'content-encoding': 'gzip' } })
    problemOf(refused, 415, 'E_MEDIA_TYPE')
    assert.equal(refused.headers['accept-encoding'], 'identity')
  })

  clause('a client that leaves amid its body is no fault of ours', open, async (served, journal) => {
    const headers = { 'content-type': 'application/json', 'content-length': 100 }
    const sent = begin(served.url, '/api/things', { method: 'POST', headers })
    sent.on('error', () => {}) // We hang up ourselves.
    await new Promise((written) => sent.write('{"name":', written))
    sent.destroy()
    const { aborted, status } = await journal.request('/api/things')
    assert.deepEqual({ aborted, status }, { aborted: true, status: 499 })
    // By the time another request is answered, what became of the first one has been told.
    assert.equal((await ask(served, '/api/things/1')).status, 200)
    assert.deepEqual(journal.errors, [])
  })

  clause('a body that nests without end is refused', open, async (served) => {
    for (const body of [
      '['.repeat(9_000),
      `${'['.repeat(4_000)}${']'.repeat(4_000)}`,
      `${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`,
    ])
      assert.equal((await ask(served, '/api/things', { body })).status, 400)
  })

  clause('an unknown path, a wrong method and a bad encoding are problems', open, async (served) => {
    problemOf(await ask(served, '/api/nothing'), 404, 'E_NOT_FOUND')
    const wrong = await ask(served, '/api/things/1', { method: 'PUT' })
    problemOf(wrong, 405, 'E_METHOD')
    assert.equal(wrong.headers['allow'], 'GET, HEAD, DELETE, OPTIONS')
    problemOf(await ask(served, '/api/things/%zz'), 400, 'E_URL_ENCODING')
    problemOf(await ask(served, '/api/things/1?name=%zz'), 400, 'E_URL_ENCODING')
  })

  clause('HEAD answers as GET without a body, and OPTIONS with the methods', open, async (served) => {
    const get = await ask(served, '/api/things/1')
    const head = await ask(served, '/api/things/1', { method: 'HEAD' })
    assert.equal(head.status, 200)
    assert.equal(head.text, '')
    assert.equal(head.headers['content-length'], get.headers['content-length'])
    const options = await ask(served, '/api/things', { method: 'OPTIONS' })
    assert.equal(options.status, 204)
    assert.equal(options.headers['allow'], 'POST, OPTIONS')
  })

  clause('a reply without content has neither body nor length', open, async (served, journal) => {
    const answer = await ask(served, '/api/things/1', { method: 'DELETE' })
    assert.equal(answer.status, 204)
    assert.equal(answer.headers['content-length'], undefined)
    assert.equal((await journal.request('/api/things/1')).bytes, 0)
  })

  clause(
    'a problem that a handler throws is told; any other error is not, but published',
    open,
    async (served, journal) => {
      assert.equal(problemOf(await ask(served, '/api/refuse'), 404, 'E_NOT_FOUND').detail, 'There is no such thing.')
      assert.equal(journal.errors.length, 0)
      for (const path of ['/api/fail', '/api/broken-stream']) {
        const answer = await ask(served, path)
        problemOf(answer, 500, 'E_INTERNAL')
        assert.doesNotMatch(answer.text, /secret|\.ts/)
        const event = journal.errors.find((one) => one.path === path)
        assert.equal(event?.error.message, 'secret')
        assert.equal(event?.requestId, answer.headers['x-request-id'])
      }
    },
  )

  clause('several cookies stay several', open, async (served) => {
    assert.deepEqual((await ask(served, '/api/cookies')).headers['set-cookie'], ['a=1', 'b=2'])
  })

  clause('a stream is sent as it comes', open, async (served, journal) => {
    const answer = await ask(served, '/api/stream')
    assert.equal(answer.text.length, 10_000)
    const { aborted, status } = await journal.request('/api/stream')
    assert.deepEqual({ aborted, status }, { aborted: false, status: 200 })
  })

  clause('events arrive one by one, in context, until the client leaves', open, async (served, journal) => {
    const sent = begin(served.url, '/api/events', { method: 'GET', headers: {} })
    sent.end()
    const response = await responseTo(sent)
    assert.match(String(response.headers['content-type']), /^text\/event-stream/)
    let got = ''
    for await (const chunk of response) {
      got += chunk
      if (got.includes('data: ')) break
    }
    assert.match(got, new RegExp(`data: {"n":1,"context":"${response.headers['x-request-id']}"}\n\n`))
    sent.destroy()
    assert.equal((await journal.request('/api/events')).aborted, true)
  })

  const left = gate<AbortSignal>()
  const openWaiting = () => subject.serve(contractRoutes({ onWait: left.resolve }))
  clause('a client that leaves aborts the signal of its request', openWaiting, async (served, journal) => {
    const sent = begin(served.url, '/wait', { method: 'GET', headers: {} })
    sent.on('error', () => {}) // We hang up ourselves.
    sent.end()
    const signal = await left.promise
    assert.equal(signal.aborted, false)
    sent.destroy()
    const event = await journal.request('/wait')
    assert.equal(signal.aborted, true)
    assert.equal(event.aborted, true)
    assert.equal(event.status, 499)
  })

  const openTrusting = () => subject.serve(contractRoutes(), { host: { trustedProxies: ['loopback'] } })
  clause('a request id is taken from a trusted proxy, and from nobody else', open, async (served) => {
    const answer = await ask(served, '/api/things/1', { headers: { 'x-request-id': 'mine' } })
    assert.notEqual(answer.headers['x-request-id'], 'mine')
    const trusting = await openTrusting()
    try {
      const believed = await ask(trusting, '/things/1', { headers: { 'x-request-id': 'mine' } })
      assert.equal(believed.headers['x-request-id'], 'mine')
      assert.equal(believed.json()['context'], 'mine')
    } finally {
      await trusting.close()
    }
  })
}

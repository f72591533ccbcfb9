import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text as textOf } from 'node:stream/consumers'
import { test } from 'node:test'
import { createGunzip, gzipSync } from 'node:zlib'
import { currentContext } from '@tailwater/core'
import { type Middleware, type Route, route, sse, text } from '@tailwater/http'
import { fastifyDefaults, fastifyMiddleware, fastifyRoutes } from '@tailwater/http/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import { Type } from 'typebox'

const anything = { response: { 200: Type.Unknown() } }

function show(path: string, handler: Route['handler'] = () => ({ path })): Route {
  return route({ method: 'GET', path, id: path, summary: '', schema: anything, handler })
}

const echo = route({
  method: 'POST',
  path: '/echo',
  id: 'echo',
  summary: '',
  schema: { body: Type.Object({ a: Type.Integer() }), ...anything },
  handler: ({ body }) => body,
})

async function started(app: FastifyInstance): Promise<string> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

const marking = (name: string, log: string[]): Middleware => ({
  name,
  before: () => void log.push(`before ${name}`),
  after(_, reply) {
    log.push(`after ${name}`)
    return reply
  },
})

test('the application’s own parsers, hooks and routes work beside ours', async () => {
  const app = Fastify()
  app.addContentTypeParser('text/csv', { parseAs: 'string' }, (_request, body, done) =>
    done(null, String(body).split(',')),
  )
  app.addHook('onSend', (_request, reply, payload, done) => {
    reply.header('x-own', 'yes')
    done(null, payload)
  })
  await app.register(fastifyRoutes([echo]))
  app.post('/csv', (request) => Promise.resolve(request.body))
  const csv = await app.inject({ method: 'POST', url: '/csv', payload: 'a,b', headers: { 'content-type': 'text/csv' } })
  assert.deepEqual(csv.json(), ['a', 'b'])
  const ours = await app.inject({ method: 'POST', url: '/echo', payload: { a: 1 } })
  assert.deepEqual(ours.json(), { a: 1 })
  assert.equal(ours.headers['x-own'], 'yes')
  await app.close()
})

test('a hook that unpacks bodies comes before our reading them', async () => {
  const app = Fastify()
  app.addHook('preParsing', (request, _reply, payload, done) => {
    done(null, request.headers['content-encoding'] === 'gzip' ? payload.pipe(createGunzip()) : payload)
  })
  await app.register(fastifyRoutes([echo]))
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  const answer = await app.inject({ method: 'POST', url: '/echo', payload: gzipSync('{"a":1}'), headers })
  assert.deepEqual(answer.json(), { a: 1 })
  await app.close()
})

test('a route may take longer bodies and parameters than Fastify would', async () => {
  const app = Fastify(fastifyDefaults())
  const upload = route({
    method: 'POST',
    path: '/upload/:name',
    id: 'upload',
    summary: '',
    bodyLimit: 3_000_000,
    schema: {
      params: Type.Object({ name: Type.String({ maxLength: 500 }) }),
      body: Type.Object({ text: Type.String() }),
      ...anything,
    },
    handler: ({ body }) => ({ length: body.text.length }),
  })
  await app.register(fastifyRoutes([upload]))
  const answer = await app.inject({
    method: 'POST',
    url: `/upload/${'n'.repeat(500)}`,
    payload: { text: 'a'.repeat(2_000_000) },
  })
  assert.deepEqual(answer.json(), { length: 2_000_000 })
  const long = await app.inject({ method: 'POST', url: `/upload/${'n'.repeat(5_000)}`, payload: { text: '' } })
  assert.equal(long.json().errors[0].path, '/params/name')
  await app.close()
})

test('what is no HTTP is answered with a problem', async () => {
  const app = Fastify(fastifyDefaults())
  await started(app)
  const send = async (text: string) => {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
    socket.end(text)
    const [head, body] = (await textOf(socket)).split('\r\n\r\n') as [string, string]
    return [head.split('\r\n')[0], JSON.parse(body).code]
  }
  assert.deepEqual(await send('nonsense\r\n\r\n'), ['HTTP/1.1 400 Bad Request', 'E_BAD_REQUEST'])
  const long = `GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`
  assert.deepEqual(await send(long), ['HTTP/1.1 431 Request Header Fields Too Large', 'E_HEADERS_TOO_LARGE'])
  await app.close()
})

test('the context survives a hook of the application that goes on in somebody else’s', async () => {
  const app = Fastify()
  await app.register(fastifyMiddleware([]))
  const waiting: (() => void)[] = []
  app.addHook('preParsing', (_request, _reply, payload, done) => void waiting.push(() => done(null, payload)))
  app.get('/own', () => Promise.resolve({ id: currentContext()?.requestId }))
  const answer = app.inject('/own')
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
  for (const goOn of waiting) goOn()
  const { headers, body } = await answer
  assert.equal(JSON.parse(body).id, headers['x-request-id'])
  await app.close()
})

test('several sets of routes share the answers to what is unknown', async () => {
  const app = Fastify()
  await app.register(fastifyRoutes([show('/a')], { basePath: '/one' }))
  await app.register(fastifyRoutes([show('/b')], { basePath: '/two' }))
  for (const url of ['/one/a', '/two/b']) {
    assert.equal((await app.inject(url)).statusCode, 200)
    const wrong = await app.inject({ method: 'DELETE', url })
    assert.deepEqual([wrong.statusCode, wrong.headers['allow']], [405, 'GET, HEAD, OPTIONS'])
  }
  assert.equal((await app.inject('/two/a')).json().code, 'E_NOT_FOUND')
  await app.close()
})

test('the application may keep its own answers to errors and unknown addresses', async () => {
  const app = Fastify()
  await app.register(fastifyRoutes([show('/a')], { problems: false }))
  app.setNotFoundHandler((_request, reply) => reply.code(404).send('mine'))
  assert.equal((await app.inject('/b')).body, 'mine')
  await app.close()
})

test('middleware belongs to the scope it is registered in, and its order holds across registrations', async () => {
  const log: string[] = []
  const app = Fastify()
  await app.register(fastifyMiddleware([marking('outer', log)]))
  await app.register(async (scope) => {
    await scope.register(fastifyMiddleware([marking('inner', log)]))
    await scope.register(fastifyRoutes([show('/in')], { middleware: [marking('router', log)], problems: false }))
    scope.get('/own', () => Promise.resolve('own'))
  })
  app.get('/out', () => Promise.resolve('out'))
  await app.inject('/in')
  assert.deepEqual(log.splice(0), [
    'before outer',
    'before inner',
    'before router',
    'after router',
    'after inner',
    'after outer',
  ])
  await app.inject('/own')
  assert.deepEqual(log.splice(0), ['before outer', 'before inner', 'after inner', 'after outer'])
  await app.inject('/out')
  assert.deepEqual(log.splice(0), ['before outer', 'after outer'])
  await app.close()
})

test('middleware of a route runs for it alone, after that of its router', async () => {
  const log: string[] = []
  const app = Fastify()
  const guarded = { ...show('/guarded'), use: [marking('route', log)] }
  await app.register(fastifyRoutes([guarded, show('/open')], { middleware: [marking('router', log)] }))
  await app.inject('/guarded')
  assert.deepEqual(log.splice(0), ['before router', 'before route', 'after route', 'after router'])
  await app.inject('/open')
  assert.deepEqual(log, ['before router', 'after router'])
  await app.close()
})

test('closing ends event streams, and answers what is in flight', async () => {
  const app = Fastify(fastifyDefaults())
  let answer = (_: object) => {}
  const inFlight = new Promise<void>((entered) => {
    void app.register(
      fastifyRoutes([
        show('/slow', () => {
          entered()
          return new Promise<object>((resolve) => {
            answer = resolve
          })
        }),
        show('/events', () =>
          sse(
            (async function* () {
              yield { data: 1 }
              await new Promise(() => {})
            })(),
          ),
        ),
      ]),
    )
  })
  const url = await started(app)
  const [events] = (await once(get(`${url}/events`), 'response')) as [import('node:http').IncomingMessage]
  const slow = fetch(`${url}/slow`)
  await inFlight
  const closed = app.close()
  assert.equal(await textOf(events), 'retry: 2000\n\ndata: 1\n\n')
  answer({ done: true })
  const response = await slow
  assert.equal(response.headers.get('connection'), 'close')
  assert.deepEqual(await response.json(), { done: true })
  await closed
})

test('an address that cannot be decoded is a problem when the application takes our defaults', async () => {
  const app = Fastify(fastifyDefaults())
  app.get('/own/:id', () => Promise.resolve('own'))
  const answer = await app.inject('/own/%zz')
  assert.equal(answer.json().code, 'E_URL_ENCODING')
  await app.close()
})

test('an early answer of middleware keeps the application’s handler from running', async () => {
  const app = Fastify()
  await app.register(fastifyMiddleware([{ name: 'stop', before: () => text('stopped', { status: 429 }) }]))
  app.get('/own', () => assert.fail('ran'))
  assert.equal((await app.inject('/own')).statusCode, 429)
  await app.close()
})

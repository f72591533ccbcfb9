import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { httpError, httpRequest, listen } from '@tailwater/core'
import { type Middleware, route } from '@tailwater/http'
import { connectErrors, connectMiddleware, connectNotFound, connectRouter } from '@tailwater/http/connect'
import type { Served } from '@tailwater/http/testing'
import express from 'express'
import express4 from 'express4'
import { Type } from 'typebox'
import { serveListener } from './served.ts'

const create = route({
  method: 'POST',
  path: '/things',
  id: 'createThing',
  summary: '',
  schema: {
    body: Type.Object({ a: Type.Integer(), map: Type.Optional(Type.Record(Type.String(), Type.Unknown())) }),
    response: { 200: Type.Unknown() },
  },
  handler: ({ body }) => body,
})
const show = route({
  method: 'GET',
  path: '/things/:id',
  id: 'showThing',
  summary: '',
  schema: { params: Type.Object({ id: Type.Integer() }), response: { 200: Type.Unknown() } },
  handler: ({ params }) => params,
})

async function within(served: Promise<Served>, body: (url: string) => Promise<void>): Promise<void> {
  const { url, close } = await served
  try {
    await body(url)
  } finally {
    await close()
  }
}

const post = (url: string, body: string) =>
  fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
const same: Middleware = { name: 'same', after: (_, reply) => reply }

for (const [name, framework] of [
  ['Express 5', express],
  ['Express 4', express4],
] as const)
  describe(`in ${name}`, () => {
    test('a body that express.json has read is checked like any other', async () => {
      const app = framework()
      app.use(framework.json())
      app.use(connectRouter([create]))
      app.use(connectErrors())
      await within(serveListener(app), async (url) => {
        assert.deepEqual(await (await post(`${url}/things`, '{"a":1}')).json(), { a: 1 })
        const faults = async (body: string) =>
          (await (await post(`${url}/things`, body)).json()) as { code: string; errors: { path: string }[] }
        assert.equal((await faults('{"a":"1"}')).errors[0]!.path, '/body/a')
        assert.equal((await faults('{"a":1,"map":{"x":"\\u0000"}}')).errors[0]!.path, '/body/map/x')
        assert.equal((await faults('{"a":')).code, 'E_BODY_SYNTAX')
        assert.equal((await faults(`{"a":1,"map":{"x":"${'a'.repeat(200_000)}"}}`)).code, 'E_BODY_TOO_LARGE')
      })
    })

    test('routes can be mounted under a path, which their label carries', async () => {
      const labels: (string | undefined)[] = []
      const stop = listen(httpRequest, ({ route }) => void labels.push(route))
      const app = framework()
      app.use('/v1', connectRouter([show]))
      await within(serveListener(app), async (url) => {
        assert.deepEqual(await (await fetch(`${url}/v1/things/3`)).json(), { id: 3 })
      })
      stop()
      assert.deepEqual(labels, ['/v1/things/:id'])
    })

    test('a path that is not ours goes on to the next handler, and at last to a problem', async () => {
      const app = framework()
      app.use(connectRouter([show]))
      app.get('/own', (_request, response) => {
        response.send('own')
      })
      app.use(connectNotFound())
      await within(serveListener(app), async (url) => {
        assert.equal(await (await fetch(`${url}/own`)).text(), 'own')
        assert.equal((await fetch(`${url}/nothing`)).headers.get('content-type'), 'application/problem+json')
        assert.equal((await fetch(`${url}/things/3`, { method: 'PATCH' })).status, 405)
      })
    })

    test('files, big streams and odd endings pass through capture unchanged', async () => {
      const big = Buffer.alloc(3_000_000, 'abcdefghij')
      const ended: string[] = []
      const app = framework()
      app.use(connectMiddleware([same]))
      app.get('/file', (_request, response) => response.sendFile(import.meta.filename))
      app.get('/big', (_request, response) => {
        Readable.from(chunksOf(big)).pipe(response)
      })
      app.get('/odd', (_request, response) => {
        response.writeHead(201, 'Made', { 'x-a': '1' }).end('aGk=', 'base64', () => ended.push('called back'))
      })
      await within(serveListener(app), async (url) => {
        const file = await (await fetch(`${url}/file`)).text()
        assert.match(file, /pass through capture unchanged/)
        assert.equal(Buffer.compare(Buffer.from(await (await fetch(`${url}/big`)).arrayBuffer()), big), 0)
        const odd = await fetch(`${url}/odd`)
        assert.deepEqual(
          [odd.status, odd.statusText, odd.headers.get('x-a'), await odd.text()],
          [201, 'Made', '1', 'hi'],
        )
      })
      assert.deepEqual(ended, ['called back'])
    })

    test('middleware used one by one keeps its order', async () => {
      const log: string[] = []
      const noted = (name: string): Middleware => ({
        name,
        after(_, reply) {
          log.push(name)
          return reply
        },
      })
      const app = framework()
      app.use(connectMiddleware(noted('outer')))
      app.use(connectMiddleware(noted('inner')))
      app.use(connectRouter([show], { middleware: [noted('router')] }))
      await within(serveListener(app), async (url) => void (await fetch(`${url}/things/1`)))
      assert.deepEqual(log, ['router', 'inner', 'outer'])
    })

    test('a client that leaves in the middle of a stream is no fault of ours', async () => {
      const stop = listen(httpError, ({ error }) => assert.fail(error))
      const outcome = Promise.withResolvers<boolean>()
      const app = framework()
      app.use(connectMiddleware([same, { name: 'watch', finish: (_, { aborted }) => outcome.resolve(aborted) }]))
      app.get('/endless', (_request, response) => {
        Readable.from(endless()).pipe(response)
      })
      await within(serveListener(app), async (url) => {
        const sent = get(`${url}/endless`)
        const [response] = (await once(sent, 'response')) as [IncomingMessage]
        await once(response, 'data')
        sent.destroy()
        assert.equal(await outcome.promise, true)
      })
      stop()
    })
  })

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000)
}

async function* endless(): AsyncGenerator<string> {
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve))
    yield 'a'.repeat(10_000)
  }
}

import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { after, it } from 'node:test'
import { json, route } from '@tailwater/http'
import express from 'express'
import express4 from 'express4'
import Fastify from 'fastify'
import type { Tailwater } from 'tailwater'
import { Type } from 'typebox'
import { ADMINISTRATOR, openPlatform } from '../platform/open_platform.ts'

/** Asks an application, whichever way it is mounted. */
type Ask = (path: string, init?: RequestInit) => Promise<Response>

const tw = await openPlatform()
await tw.start()

async function listening(listener: RequestListener | undefined, platform: Tailwater, server = createServer(listener)) {
  const served = platform.serve(server, { port: 0 })
  await served.start()
  after(() => served.stop(platform.clock.elapsed()))
  return served.url
}

const over =
  (url: string): Ask =>
  (path, init) =>
    fetch(url + path, init)

function expressApp(framework: typeof express): RequestListener {
  const app = framework()
  app.use(tw.express())
  app.get('/own', (_request, response) => void response.json({ own: true }))
  return app
}

async function fastifyApp(): Promise<Ask> {
  const app = Fastify()
  await app.register(tw.fastify())
  app.get('/own', async () => ({ own: true }))
  await app.ready()
  return over(await listening(undefined, tw, app.server))
}

function fetchApp(): Ask {
  const own = route({
    method: 'GET',
    path: '/own',
    id: 'own',
    summary: 'A route of the application',
    schema: { response: { 200: Type.Object({ own: Type.Boolean() }) } },
    handler: () => json({ own: true }),
  })
  const answer = tw.fetch({ routes: [own] })
  return async (path, init) => answer(new Request(`http://localhost${path}`, init))
}

const mounts: Record<string, Ask> = {
  'Express 5': over(await listening(expressApp(express), tw)),
  'Express 4': over(await listening(expressApp(express4), tw)),
  Fastify: await fastifyApp(),
  fetch: fetchApp(),
}

for (const [name, ask] of Object.entries(mounts)) {
  it(`${name}: the application's own route answers, with the id of its request`, async () => {
    const response = await ask('/own', { headers: { 'x-request-id': 'not-believed' } })
    assert.deepEqual([response.status, await response.json()], [200, { own: true }])
    assert.match(response.headers.get('x-request-id') ?? '', /^[0-9a-f-]{36}$/)
  })

  it(`${name}: health is there`, async () => {
    assert.deepEqual(await (await ask('/health/live')).json(), { status: 'up' })
    assert.equal((await ask('/health/ready')).status, 200)
    assert.equal((await ask('/health')).status, 401)
  })

  it(`${name}: an administrator gets a token, and sees what it opens`, async () => {
    const response = await ask('/tailwater/api/auth/token', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ADMINISTRATOR),
    })
    const { token } = (await response.json()) as { token: string }
    assert.equal(response.status, 200)
    assert.equal((await ask('/health', { headers: { authorization: `Bearer ${token}` } })).status, 200)
  })

  it(`${name}: what goes wrong is told as a problem, with the request's id and without internals`, async () => {
    const response = await ask('/tailwater/api/auth/me')
    assert.equal(response.status, 401)
    assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
    const problem = (await response.json()) as { code: string; requestId: string }
    assert.match(problem.code, /^E_/)
    assert.equal(problem.requestId, response.headers.get('x-request-id'))
    assert.doesNotMatch(JSON.stringify(problem), /node_modules|\.ts:/)
  })

  it(`${name}: the routes of the platform are described`, async () => {
    const document = (await (await ask('/tailwater/api/openapi.json')).json()) as { paths: Record<string, unknown> }
    assert.ok(document.paths['/health/ready'])
    assert.ok(document.paths['/tailwater/api/auth/login'])
  })
}

it('fetch: an address that nobody knows is a problem too', async () => {
  const response = await mounts['fetch']!('/nowhere')
  assert.equal(response.status, 404)
  assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/)
})

import assert from 'node:assert/strict'
import { createServer, type RequestListener, request as requestHttp } from 'node:http'
import { after, describe, it } from 'node:test'
import { cacheAccess, listen } from '@tailwater/core'
import { json, route } from '@tailwater/http'
import { startRedis } from '@tailwater/redis/testing'
import express from 'express'
import Fastify from 'fastify'
import { resolveConfig, type Tailwater, type TailwaterConfig } from 'tailwater'
import { Type } from 'typebox'
import { administratorToken, openPlatform, openTwo, until } from './open_platform.ts'

const HOST = 'shop.example'
const http = { cache: { hosts: [HOST] } }

interface Answer {
  status: number
  text: string
  /** What the cache says it did. */
  did: string
}
type Ask = (
  path: string,
  init?: { method?: string; host?: string; headers?: Record<string, string> },
) => Promise<Answer>

/** An application of one address: it counts, and says how its answers may be kept. */
function application(path: string) {
  const state = { runs: 0, headers: {} as Record<string, string> }
  const answer = () => ({ run: ++state.runs })
  const headers = () => ({ 'cache-control': 'max-age=60', 'surrogate-key': 'product-42', ...state.headers })
  return { path, state, answer, headers }
}
type Application = ReturnType<typeof application>

/** Asks over the network: fetch would not let us say the host. */
function over(url: string): Ask {
  return (path, { method = 'GET', host = HOST, headers = {} } = {}) =>
    new Promise((resolve, reject) => {
      const sent = requestHttp(url + path, { method, headers: { host, ...headers } }, async (response) => {
        let text = ''
        for await (const piece of response.setEncoding('utf8')) text += piece
        resolve({ status: response.statusCode!, text, did: String(response.headers['cache-status']) })
      })
      sent.on('error', reject).end()
    })
}

async function listening(tw: Tailwater, listener?: RequestListener, server = createServer(listener)): Promise<Ask> {
  const served = tw.serve(server, { port: 0 })
  await served.start()
  after(() => served.stop(tw.clock.elapsed()))
  return over(served.url.replace('localhost', '127.0.0.1'))
}

const mounts: Record<string, (tw: Tailwater, application: Application) => Promise<Ask>> = {
  async Fastify(tw, { path, answer, headers }) {
    const app = Fastify()
    await app.register(tw.fastify())
    app.all(path, async (_request, reply) => reply.headers(headers()).send(answer()))
    await app.ready()
    return listening(tw, undefined, app.server)
  },
  async Express(tw, { path, answer, headers }) {
    const app = express()
    app.use(tw.express())
    app.all(path, (_request, response) => void response.set(headers()).json(answer()))
    return listening(tw, app)
  },
  async fetch(tw, { path, answer, headers }) {
    const schema = { response: { 200: Type.Object({ run: Type.Integer() }) } }
    const routes = (['GET', 'POST'] as const).map((method) =>
      route({
        method,
        path,
        id: `own${method}`,
        summary: 'A route of the application',
        schema,
        handler: () => json(answer(), { headers: headers() }),
      }),
    )
    const handle = tw.fetch({ routes })
    return async (target, { method = 'GET', host = HOST, headers: sent = {} } = {}) => {
      const response = await handle(new Request(`http://${host}${target}`, { method, headers: sent }))
      const did = String(response.headers.get('cache-status'))
      return { status: response.status, text: await response.text(), did }
    }
  },
}

const redis = await startRedis()
after(() => redis.stop())
const stores: Record<string, TailwaterConfig> = {
  memory: {},
  Redis: { redisUrl: redis.url },
  PostgreSQL: { cache: { far: 'postgres' } },
}

for (const [kind, config] of Object.entries(stores))
  describe(`responses kept in ${kind === 'memory' ? 'the memory of each process' : kind}`, async () => {
    const [one, other] = await openTwo({ http, ...config })
    for (const [name, mount] of Object.entries(mounts)) {
      const app = application(`/own/${name}`)
      const [ask, askOther] = [await mount(one, app), await mount(other, app)]
      /** What is answered without running the handler; a shared store that took longer than it is waited for is asked again. */
      const kept = async (from: Ask): Promise<string> => {
        for (;;) {
          const { text, did } = await from(app.path)
          if (did.startsWith('tailwater; hit')) return text
        }
      }
      const isForgotten = async (from: Ask, before: string) => (await from(app.path)).text !== before

      it(`${name}: are answered without running the handler, for hosts of our own`, async () => {
        await kept(ask)
        assert.ok(one.responses!.stats().hits >= 1)
        assert.equal((await ask(app.path, { host: 'evil.example' })).status, 421)
        assert.equal((await ask('/health/live', { host: '10.0.0.7' })).status, 200)
      })

      it(`${name}: are forgotten in every process with a tag of the cache, when a transaction commits`, async () => {
        const before = [await kept(ask), await kept(askOther)] as const
        await one.database.transaction((tx) => one.cache.invalidate({ tags: ['product-42'] }, { tx }))
        assert.ok(await isForgotten(ask, before[0]), 'who commits reads what it wrote')
        await until(() => isForgotten(askOther, before[1]))
      })

      it(`${name}: are purged in every process by surrogate key, by address, and by a write`, async () => {
        for (const forget of [
          () => one.responses!.purgeTags(['product-42']),
          () => one.responses!.purge(`http://${HOST}${app.path}`),
          () => ask(app.path, { method: 'POST' }),
        ]) {
          const before = [await kept(ask), await kept(askOther)] as const
          await forget()
          assert.ok(await isForgotten(ask, before[0]))
          await until(() => isForgotten(askOther, before[1]))
        }
      })
    }
  })

it('a stale response is served while the application is run again behind it, on every mount', async () => {
  const tw = await openPlatform({ http })
  for (const [name, mount] of Object.entries(mounts)) {
    const app = application(`/stale/${name}`)
    app.state.headers = { 'cache-control': 'max-age=0, stale-while-revalidate=3600', etag: '"1"' }
    const ask = await mount(tw, app)
    assert.equal((await ask(app.path)).text, '{"run":1}')
    app.state.headers = { 'cache-control': 'max-age=3600' }
    assert.match((await ask(app.path)).did, /hit; .*detail=stale-while-revalidate/, name)
    await until(async () => /hit; ttl=3\d{3}$/.test((await ask(app.path)).did))
    assert.equal((await ask(app.path)).text, '{"run":2}')
    assert.equal(app.state.runs, 2)
  }
})

it('without http.cache nothing is kept, and nobody is refused', async () => {
  const tw = await openPlatform()
  const app = application('/own')
  const ask = await mounts['Fastify']!(tw, app)
  for (const run of [1, 2]) assert.equal((await ask('/own', { host: 'any.example' })).text, `{"run":${run}}`)
  assert.equal(tw.responses, undefined)
})

it('look-ups are told of as those of a cache, and shown and changed over the admin API', async () => {
  const tw = await openPlatform({ http })
  await tw.start()
  const app = application('/own')
  const ask = await mounts['fetch']!(tw, app)
  const told: string[] = []
  const end = listen(cacheAccess, ({ cache, outcome, tier }) => void told.push(`${cache} ${outcome} ${tier}`))
  await ask('/own')
  await ask('/own')
  await ask('/own', { method: 'POST' })
  await ask('/own')
  end()
  assert.deepEqual(told, ['http miss source', 'http hit near', 'http miss source'])
  const authorization = `Bearer ${await administratorToken(tw)}`
  const state = async () => {
    const { text } = await ask('/tailwater/api/cache', { headers: { authorization }, host: 'admin.example' })
    const { namespaces } = JSON.parse(text) as { namespaces: { name: string; nearHits: number; entries: number }[] }
    return namespaces.find(({ name }) => name === 'http')!
  }
  const before = await state()
  assert.deepEqual([before.nearHits, before.entries], [1, 1])
  const key = encodeURIComponent(`http:http://${HOST}/own`)
  const detail = await ask(`/tailwater/api/cache/keys/${key}`, { headers: { authorization }, host: 'admin.example' })
  const { near, far, preview } = JSON.parse(detail.text) as { near: { tags: string[] }; far: null; preview: object[] }
  assert.deepEqual([near.tags, far, preview.length], [['product-42'], null, 1])
  assert.doesNotMatch(detail.text, /run/, 'bodies are not shown')
  const handle = tw.fetch()
  const reply = await handle(
    new Request('http://admin.example/tailwater/api/cache/invalidate', {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ all: true, namespace: 'http' }),
    }),
  )
  assert.equal(reply.status, 204)
  assert.equal((await state()).entries, 0)
})

it('a configuration names its hosts, and leaves the name of the responses to them', async () => {
  for (const [cache, message] of [
    [{}, /config\.http\.cache\.hosts must be a list of hosts/],
    [{ hosts: ['https://shop.example'] }, /config\.http\.cache\.hosts must be/],
    [{ hosts: [HOST], cokies: [] }, /did you mean 'cookies'/],
  ] as const)
    assert.throws(() => resolveConfig({ http: { cache: cache as never } }), { code: 'E_OPTIONS', message })
  const tw = await openPlatform({ http })
  assert.throws(() => tw.cache.define('http', { load: () => 1 }), { code: 'E_OPTIONS' })
})

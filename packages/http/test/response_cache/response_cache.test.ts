import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, type IncomingMessage, request as requestHttp } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterEach, describe, it } from 'node:test'
import { brotliDecompressSync } from 'node:zlib'
import { FakeClock } from '@tailwater/core/testing'
import express from 'express'
import express4 from 'express4'
import {
  compression,
  conditional,
  type Middleware,
  nonceOf,
  type ResponseCache,
  type ResponseCacheMiddlewareOptions,
  responseCache,
  securityHeaders,
} from '../../src/index.ts'
import { exchangeOf, jsonReply, passThrough } from '../exchange_fixture.ts'
import { type CacheHost, type Handle, onExpress, onFastify, onFetch } from './cache_hosts.ts'

const LONG = 'long enough to be compressed '.repeat(100)
const FRESH = { 'cache-control': 'max-age=60' }

interface Line {
  url: string
  clock: FakeClock
  cache: ResponseCache
  /** Requests that the handler got. */
  handled: Parameters<Handle>[0][]
  ask(
    path: string,
    headers?: Record<string, string>,
    method?: string,
  ): Promise<{ status: number; headers: IncomingMessage['headers']; body: Buffer; text: string; did: string }>
  close(): Promise<void>
}

function suite(name: string, host: CacheHost): void {
  describe(`the response cache on ${name}`, () => {
    let line: Line
    afterEach(() => line.close())

    async function open(
      handle: Handle,
      options: ResponseCacheMiddlewareOptions = {},
      before: readonly Middleware[] = [],
    ): Promise<void> {
      const clock = new FakeClock()
      const cache = responseCache({ clock, ...options })
      const handled: Line['handled'] = []
      const served = await host.serve([...before, cache], (request) => {
        handled.push({ ...request, headers: { ...request.headers } })
        return handle(request)
      })
      running = served
      line = { url: served.url, clock, cache, handled, ask, close: served.close }
    }
    let running: Awaited<ReturnType<CacheHost['serve']>>

    async function ask(path: string, headers: Record<string, string> = {}, method = 'GET') {
      const sent = requestHttp(line.url + path, { method, headers, agent: false })
      sent.end()
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      const body = await buffer(response)
      const did = String(response.headers['cache-status'] ?? '').replace(/^tailwater; /, '')
      return { status: response.statusCode!, headers: response.headers, body, text: String(body), did }
    }

    it('runs the handler once, and answers GET and HEAD from then on', async () => {
      await open(() => ({
        headers: { ...FRESH, 'content-type': 'text/css; charset=utf-8' },
        body: `answer ${line.handled.length}`,
      }))
      assert.match((await line.ask('/a?b=1')).did, /fwd=uri-miss; fwd-status=200; stored/)
      await line.clock.advance(5_000)
      const { text, did, headers } = await line.ask('/a?b=1')
      assert.deepEqual(
        [text, did, headers['age'], headers['content-type']],
        ['answer 1', 'hit; ttl=55', '5', 'text/css; charset=utf-8'],
      )
      const head = await line.ask('/a?b=1', {}, 'HEAD')
      assert.deepEqual([head.text, head.headers['content-length'], line.handled.length], ['', '8', 1])
      assert.equal((await line.ask('/a?b=2')).text, 'answer 2')
    })

    it('keeps nothing that its handler does not allow', async () => {
      const kinds: Record<string, ReturnType<Handle>> = {
        '/silent': { body: 'x' },
        '/private': { headers: { 'cache-control': 'private, max-age=60' }, body: 'x' },
        '/no-store': { headers: { 'cache-control': 'no-store' }, body: 'x' },
        '/cookie': { headers: { ...FRESH, 'set-cookie': 'a=1' }, body: 'x' },
        '/star': { headers: { ...FRESH, vary: '*' }, body: 'x' },
        '/nonce': { headers: { ...FRESH, 'content-security-policy': "script-src 'nonce-abc'" }, body: 'x' },
      }
      await open(({ path }) => kinds[path]!)
      for (const path of Object.keys(kinds)) {
        await line.ask(path)
        assert.match((await line.ask(path)).did, /fwd=uri-miss/, path)
      }
    })

    it('keeps nothing of which it could not keep every surrogate key', async () => {
      const headers = { ...FRESH, 'surrogate-key': Array.from({ length: 129 }, (_, i) => `k${i}`).join(' ') }
      await open(() => ({ headers, body: 'x' }))
      for (let i = 0; i < 2; i++) assert.match((await line.ask('/a')).did, /uri-miss.*detail=surrogate-keys/)
    })

    it('keeps nothing that is too large, and no failure of a handler that had allowed caching, and says so', async () => {
      await open(
        ({ path }) => ({
          status: path === '/broken' ? 500 : 200,
          headers: FRESH,
          body: path === '/large' ? LONG : 'x',
        }),
        { maxBody: '1kb' },
      )
      for (let i = 0; i < 2; i++) {
        assert.match((await line.ask('/large')).did, /uri-miss.*detail=size/)
        assert.match((await line.ask('/broken')).did, /uri-miss.*detail=status/)
      }
      assert.equal(line.handled.length, 4)
    })

    it('never keeps a stream', async () => {
      await open(() => ({ headers: FRESH, body: Readable.from(pieces(), { objectMode: false }) }))
      assert.equal((await line.ask('/a')).text, 'abc')
      assert.match((await line.ask('/a')).did, /uri-miss; fwd-status=200; detail=stream/)
    })

    it('keeps none of the headers that other middleware add for one request', async () => {
      let count = 0
      const marking: Middleware = {
        name: 'marking',
        before({ replyHeaders }) {
          count++
          replyHeaders['set-cookie'] = `seen=${count}`
          replyHeaders['x-count'] = String(count)
        },
      }
      await open(() => ({ headers: { ...FRESH, 'server-timing': 'db;dur=5' }, body: 'x' }), {}, [marking])
      const [first, second] = [await line.ask('/a'), await line.ask('/a')]
      assert.match(second.did, /^hit/)
      assert.deepEqual(
        [first.headers['x-count'], second.headers['x-count'], second.headers['set-cookie']],
        ['1', '2', ['seen=2']],
      )
      assert.deepEqual([first.headers['server-timing'], second.headers['server-timing']], ['db;dur=5', undefined])
      assert.notEqual(first.headers['x-request-id'], second.headers['x-request-id'])
    })

    it('lets conditional and compression work on what is stored', async () => {
      await open(() => ({ headers: { ...FRESH, 'content-type': 'text/plain' }, body: LONG }), {}, [
        compression(),
        conditional(),
      ])
      const plain = await line.ask('/a')
      const coded = await line.ask('/a', { 'accept-encoding': 'br' })
      assert.deepEqual([plain.text, String(brotliDecompressSync(coded.body)), line.handled.length], [LONG, LONG, 1])
      const unchanged = await line.ask('/a', { 'accept-encoding': 'br', 'if-none-match': coded.headers['etag']! })
      assert.deepEqual([unchanged.status, unchanged.headers['etag']], [304, coded.headers['etag']])
    })

    it('answers conditions and ranges itself, and its handler gives the whole', async () => {
      await open(() => ({ headers: { ...FRESH, etag: '"v1"' }, body: '0123456789' }))
      assert.equal((await line.ask('/a', { 'if-none-match': '"v1"' })).status, 304)
      assert.equal((await line.ask('/a')).text, '0123456789')
      const part = await line.ask('/a', { range: 'bytes=2-3' })
      assert.deepEqual([part.status, part.text, part.headers['content-range']], [206, '23', 'bytes 2-3/10'])
      assert.equal(line.handled.length, 1)
    })

    it('goes past for cookies, credentials and other disguises', async () => {
      await open(() => ({ headers: FRESH, body: String(line.handled.length) }))
      for (const headers of [{ cookie: 'a=1' }, { authorization: 'x' }, { 'x-forwarded-host': 'evil.example' }])
        await line.ask('/a', headers as Record<string, string>)
      assert.equal((await line.ask('/a')).text, '4')
      assert.equal((await line.ask('/a', { authorization: 'x' })).text, '5')
      assert.equal((await line.ask('/a')).text, '4')
    })

    it('forgets what a successful write changes, and what it is told to', async () => {
      await open(({ method }) =>
        method === 'GET' ? { headers: { ...FRESH, 'surrogate-key': 'red' }, body: 'x' } : { status: 204 },
      )
      const isHit = async () => /^hit/.test((await line.ask('/a')).did)
      assert.equal((await line.ask('/a')).headers['surrogate-key'], undefined)
      assert.ok(await isHit())
      await line.ask('/a', {}, 'DELETE')
      assert.deepEqual([await isHit(), await isHit()], [false, true])
      await line.cache.purgeTags(['red'])
      assert.deepEqual([await isHit(), await isHit()], [false, true])
      await line.cache.purge(`${line.url}/a`)
      assert.equal(await isHit(), false)
    })

    it('forgets what a write changes though its client has left meanwhile', async () => {
      const [started, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      await open(async ({ method }) => {
        if (method === 'GET') return { headers: FRESH, body: 'x' }
        started.resolve()
        await gate.promise
        return { status: 204 }
      })
      await line.ask('/a')
      const leaver = requestHttp(`${line.url}/a`, { method: 'DELETE', agent: false }).on('error', () => {})
      leaver.end()
      await started.promise
      leaver.destroy()
      for (let i = 0; i < 20; i++) await turn()
      gate.resolve()
      for (let i = 0; i < 20; i++) await turn()
      assert.match((await line.ask('/a')).did, /fwd=uri-miss/)
    })

    it('answers all who ask at once by one run of the handler', async () => {
      const gate = Promise.withResolvers<void>()
      await open(async () => {
        await gate.promise
        return { headers: FRESH, body: 'x' }
      })
      const all = Array.from({ length: 50 }, () => line.ask('/a'))
      while (line.handled.length === 0) await turn()
      for (let i = 0; i < 50; i++) await turn()
      gate.resolve()
      assert.ok((await Promise.all(all)).every(({ text }) => text === 'x'))
      assert.equal(line.handled.length, 1)
    })

    it('gives the turn to another when the client whose handler runs has left', async () => {
      const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      await open(async () => {
        await gates[line.handled.length - 1]!.promise
        return { headers: FRESH, body: `answer ${line.handled.length}` }
      })
      const leaver = get(`${line.url}/a`, { agent: false }).on('error', () => {})
      while (line.handled.length === 0) await turn()
      const stayer = line.ask('/a')
      for (let i = 0; i < 20; i++) await turn()
      leaver.destroy()
      for (const gate of gates) gate.resolve()
      const { status, text } = await stayer
      assert.equal(status, 200)
      assert.match(text, /answer/)
      assert.match((await line.ask('/a')).did, /^hit/)
    })

    it('stands in for a handler that fails', async () => {
      let isBroken = false
      await open(() => {
        if (isBroken) throw new Error('secret')
        return { headers: FRESH, body: 'good' }
      })
      await line.ask('/a')
      await line.clock.advance(61_000)
      isBroken = true
      const { status, text, did } = await line.ask('/a')
      assert.deepEqual([status, text], [200, 'good'])
      assert.match(did, /detail=stale-if-error/)
      assert.equal((await line.ask('/b')).status, 500)
    })

    it('refreshes in the foreground while the others get the stale reply', async () => {
      const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      gates[0]!.resolve()
      await open(async () => {
        const round = line.handled.length
        await gates[round - 1]!.promise
        return { headers: { 'cache-control': 'max-age=60, stale-while-revalidate=60' }, body: `answer ${round}` }
      })
      await line.ask('/a')
      await line.clock.advance(61_000)
      const refreshing = line.ask('/a')
      while (line.handled.length < 2) await turn()
      assert.deepEqual([(await line.ask('/a')).text, (await line.ask('/a')).text], ['answer 1', 'answer 1'])
      gates[1]!.resolve()
      assert.equal((await refreshing).text, 'answer 2')
      assert.equal((await line.ask('/a')).text, 'answer 2')
    })

    it('refreshes in the background by running the application again', async () => {
      const handle: Handle = () => ({
        headers: { 'cache-control': 'max-age=60, stale-while-revalidate=60' },
        body: `answer ${line.handled.length}`,
      })
      const done = Promise.withResolvers<void>()
      await open(handle, {
        refresh: async (request) => {
          await running.refresh(request)
          done.resolve()
        },
      })
      await line.ask('/a?b', { 'x-mine': '1' })
      await line.clock.advance(61_000)
      assert.match((await line.ask('/a?b', { 'x-mine': '1' })).did, /^hit; ttl=-1; detail=stale-while-revalidate/)
      await done.promise
      const { text, did } = await line.ask('/a?b')
      assert.deepEqual([text, did], ['answer 2', 'hit; ttl=60'])
      assert.deepEqual([line.handled[1]!.path, line.handled[1]!.headers['x-mine']], ['/a?b', '1'])
      // A Request cannot be changed: there the handler sees a mark that has had its use.
      if (name !== 'fetch') assert.equal(line.handled[1]!.headers['tailwater-refresh'], undefined)
    })

    it('takes nobody’s word for a refresh', async () => {
      await open(() => ({ headers: FRESH, body: String(line.handled.length) }), { refresh: () => {} })
      await line.ask('/a', { 'tailwater-refresh': 'AAAAAAAAAAAAAAAAAAAAAA' })
      assert.equal((await line.ask('/a')).text, '2')
      assert.equal((await line.ask('/a', { 'tailwater-refresh': 'AAAAAAAAAAAAAAAAAAAAAA' })).text, '3')
      assert.equal((await line.ask('/a')).text, '2')
    })

    it('refuses a host that is not ours', async () => {
      await open(() => ({ headers: FRESH, body: 'x' }), { hosts: ['shop.example'] })
      assert.equal((await line.ask('/a', { host: 'evil.example' })).status, 421)
      assert.equal(line.handled.length, 0)
    })

    if (name.startsWith('Express'))
      it('knows a mount’s addresses by their whole path', async () => {
        await open(({ path }) => ({ headers: FRESH, body: path }))
        for (const _ of [1, 2]) for (const path of ['/a', '/mount/a']) assert.equal((await line.ask(path)).text, path)
        assert.equal(line.handled.length, 2)
      })
  })
}

suite('Fastify', onFastify)
suite('Express 5', onExpress(express))
suite('Express 4', onExpress(express4))
suite('fetch', onFetch)

async function* pieces(): AsyncGenerator<string> {
  for (const piece of ['a', 'b', 'c']) {
    await turn()
    yield piece
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('the response cache', () => {
  it('has a stored body hashed and compressed once, however often it is sent', async () => {
    const cache = responseCache()
    const list = [compression({ codings: ['gzip'] }), conditional(), cache]
    const sent = async () => {
      const exchange = exchangeOf({ headers: { 'accept-encoding': 'gzip' } })
      const early = await cache.before!(exchange)
      let reply = await cache.after!(exchange, early ?? jsonReply(20_000, FRESH))
      for (const step of list.slice(0, 2).reverse())
        reply = await passThrough({ ...step, before: () => {} }, exchange, reply)
      return reply
    }
    await sent()
    const [second, third] = [await sent(), await sent()]
    assert.equal(second.headers['content-encoding'], 'gzip')
    assert.equal(second.body, third.body, 'compressed anew it would be other bytes in memory')
    assert.match(String(third.headers['cache-status']), /hit/)
    const plain = await cache.before!(exchangeOf())
    assert.ok(plain?.body instanceof Uint8Array)
    // What is stored never changes; if it does, only a hash of its own making could tell.
    plain.body.fill(0)
    assert.equal((await sent()).headers['etag'], third.headers['etag'])
  })

  it('keeps no page into which a nonce was written', async () => {
    const list = [securityHeaders(), responseCache()]
    const exchange = exchangeOf()
    for (const step of list) await step.before?.(exchange)
    nonceOf(exchange)
    const reply = await list[1]!.after!(exchange, { status: 200, headers: FRESH, body: 'page' })
    assert.match(String(reply.headers['cache-status']), /detail=nonce/)
  })

  it('refuses hosts that no request can name, and a purge of what is no address or no list', async () => {
    for (const hosts of [[], ['http://shop.example'], ['*.shop.example'], ['shop.example/a']])
      assert.throws(() => responseCache({ hosts }), { code: 'E_OPTIONS' })
    const cache = responseCache({ hosts: ['shop.example', 'localhost:3000', '[::1]'] })
    for (const url of ['/a', 'ftp://shop.example/a']) await assert.rejects(cache.purge(url), TypeError)
    await assert.rejects(cache.purgeTags('red' as never), { code: 'E_OPTIONS' })
  })

  it('passes by a client that names no host', async () => {
    const cache = responseCache()
    const exchange = { ...exchangeOf(), client: { address: '', protocol: 'http' as const, host: '' } }
    assert.equal(await cache.before!(exchange), undefined)
    const reply = await cache.after!(exchange, { status: 200, headers: FRESH, body: 'page' })
    assert.match(String(reply.headers['cache-status']), /fwd=bypass; fwd-status=200; detail=host/)
  })
})

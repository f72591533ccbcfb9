import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { PassThrough, type Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { FakeClock } from '@tailwater/core/testing'
import type { Served } from '@tailwater/http/testing'
import express from 'express'
import express4 from 'express4'
import {
  compression,
  conditional,
  cors,
  createDrain,
  type Middleware,
  overload,
  rateLimit,
  requestLimits,
  securityHeaders,
} from '../src/index.ts'
import { type EdgeHost, onExpress, onFastify, onFetch } from './edge_hosts.ts'

const SHOP = 'https://shop.example'
const LIST = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, name: `Product number ${id}` })))
const DECODERS = { zstd: zstdDecompressSync, br: brotliDecompressSync, gzip: gunzipSync }

/** The order that the README recommends. */
function stack(): readonly Middleware[] {
  const clock = new FakeClock()
  return [
    createDrain().middleware,
    compression(),
    conditional(),
    cors({ origins: SHOP }),
    securityHeaders(),
    requestLimits({ url: 300 }),
    overload({ clock, probe: { read: () => ({ delay: 0, utilisation: 0 }), close() {} } }),
    rateLimit({ name: 'search', limit: 2, per: '1m', clock, skip: ({ query }) => query !== 'limited' }),
  ]
}

function edgeSuite(name: string, host: EdgeHost): void {
  describe(`the edge of ${name}`, () => {
    let served: Served
    let list = LIST
    let source = new PassThrough()
    before(async () => {
      served = await host(stack(), { list: () => list, rows: (): Readable => source })
    })
    after(() => served.close())

    async function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<IncomingMessage> {
      const asked = request(`${served.url}${path}`, { method, headers, agent: false })
      asked.end()
      const [response] = (await once(asked, 'response')) as [IncomingMessage]
      return response
    }

    for (const coding of ['zstd', 'br', 'gzip'] as const)
      it(`sends ${coding} to a client that asks for it`, async () => {
        const response = await ask('/list', { 'accept-encoding': coding })
        assert.equal(response.headers['content-encoding'], coding)
        const sent = await buffer(response)
        assert.equal(response.headers['content-length'], String(sent.length))
        assert.equal(DECODERS[coding](sent).toString(), LIST)
        assert.match(response.headers['vary']!, /Accept-Encoding/)
        assert.match(response.headers['vary']!, /Origin/)
      })

    it('compresses a long body in a thread', async () => {
      list = LIST.repeat(100)
      const response = await ask('/list', { 'accept-encoding': 'br' })
      assert.equal(brotliDecompressSync(await buffer(response)).toString(), list)
      list = LIST
    })

    it('answers 304 to the ETag that it sent, compressed or not', async () => {
      for (const headers of [{}, { 'accept-encoding': 'gzip' }]) {
        const first = await ask('/list', headers)
        first.resume()
        const etag = first.headers['etag']!
        const second = await ask('/list', { ...headers, 'if-none-match': etag })
        assert.equal(second.statusCode, 304)
        assert.equal(second.headers['etag'], etag)
        assert.equal((await buffer(second)).length, 0)
        assert.equal(second.headers['content-encoding'], undefined)
      }
    })

    it('answers HEAD without a body, and with the same ETag as GET to a client without codings', async () => {
      const [get, head] = [await ask('/list'), await ask('/list', {}, 'HEAD')]
      get.resume()
      assert.equal((await buffer(head)).length, 0)
      assert.equal(head.headers['etag'], get.headers['etag'])
    })

    it('sends each row of a compressed stream when it is written', async () => {
      source = new PassThrough()
      source.write('first\n')
      const response = await ask('/rows', { 'accept-encoding': 'gzip' })
      assert.equal(response.headers['content-encoding'], 'gzip')
      const decoded = response.pipe(createGunzip()).setEncoding('utf8')
      assert.deepEqual(await once(decoded, 'data'), ['first\n'])
      source.write('second\n')
      assert.deepEqual(await once(decoded, 'data'), ['second\n'])
      source.end()
      await once(decoded, 'end')
    })

    it('ends the source of a compressed stream when the client leaves', async () => {
      source = new PassThrough()
      const closed = new Promise<void>((resolve) => void source.once('close', resolve))
      source.write('first\n')
      const response = await ask('/rows', { 'accept-encoding': 'gzip' })
      await once(response, 'data')
      response.on('error', () => {})
      response.destroy()
      await closed
    })

    it('never compresses an event stream', async () => {
      source = new PassThrough()
      source.write('data: 1\n\n')
      const response = await ask('/events', { 'accept-encoding': 'gzip, br, zstd' })
      assert.equal(response.headers['content-encoding'], undefined)
      const [chunk] = (await once(response, 'data')) as [Buffer]
      assert.equal(chunk.toString(), 'data: 1\n\n')
      source.end()
      await once(response, 'end')
    })

    it('answers a preflight itself', async () => {
      const response = await ask('/list', { origin: SHOP, 'access-control-request-method': 'PUT' }, 'OPTIONS')
      assert.equal(response.statusCode, 204)
      assert.equal(response.headers['access-control-allow-origin'], SHOP)
      assert.match(response.headers['access-control-allow-methods']!, /PUT/)
      response.resume()
    })

    it('refuses with a problem that a page of an allowed origin may read', async () => {
      for (let i = 0; i < 2; i++) (await ask('/list?limited')).resume()
      const response = await ask('/list?limited', { origin: SHOP })
      assert.equal(response.statusCode, 429)
      assert.match(response.headers['content-type']!, /^application\/problem\+json/)
      assert.equal(response.headers['retry-after'], '30')
      assert.equal(response.headers['ratelimit'], '"search";r=0;t=30')
      assert.equal(response.headers['access-control-allow-origin'], SHOP)
      assert.match(response.headers['access-control-expose-headers']!, /RateLimit/)
      assert.equal(response.headers['x-content-type-options'], 'nosniff')
      assert.equal(JSON.parse((await buffer(response)).toString()).code, 'E_RATE_LIMITED')
    })

    it('refuses an address that is too long', async () => {
      const response = await ask(`/list?${'x'.repeat(400)}`)
      assert.equal(response.statusCode, 414)
      response.resume()
    })

    it('sends its headers with the problem of a failed handler too, and nothing of the fault', async () => {
      const response = await ask('/fail', { origin: SHOP })
      assert.equal(response.statusCode, 500)
      assert.ok(response.headers['content-security-policy'])
      assert.equal(response.headers['access-control-allow-origin'], SHOP)
      assert.ok(!(await buffer(response)).includes('secret'))
    })
  })
}

edgeSuite('Fastify', onFastify)
edgeSuite('Express 5', onExpress(express))
edgeSuite('Express 4', onExpress(express4))
edgeSuite('fetch', onFetch)

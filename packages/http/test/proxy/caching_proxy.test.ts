import assert from 'node:assert/strict'
import { once } from 'node:events'
import { afterEach, describe, it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { counting, holding, type ProxiedOrigin, proxyOrigin } from './origin.ts'

let line: ProxiedOrigin
afterEach(() => line.close())

describe('a caching proxy', () => {
  it('asks once, and then answers itself, with the age', async () => {
    const clock = new FakeClock()
    line = await proxyOrigin(counting(), { cache: { clock } })
    assert.equal((await line.ask('/a')).did, 'fwd=uri-miss; fwd-status=200; stored')
    await clock.advance(10_000)
    const { did, body, headers } = await line.ask('/a')
    assert.deepEqual([did, body, headers['content-length']], ['hit; ttl=50', '1', '1'])
    assert.ok(Number(headers['age']) >= 10)
    assert.equal((await line.ask('/b')).body, '2')
  })

  it('answers HEAD from what a GET brought, and keeps nothing of a HEAD', async () => {
    line = await proxyOrigin(counting())
    await line.ask('/a', { method: 'HEAD' })
    await line.ask('/a')
    const { body, headers, did } = await line.ask('/a', { method: 'HEAD' })
    assert.deepEqual([body, headers['content-length'], /^hit/.test(did), line.asked.length], ['', '1', true, 2])
  })

  it('keeps variants apart by what Vary names', async () => {
    line = await proxyOrigin(counting({ 'cache-control': 'max-age=60', vary: 'accept-language' }))
    const inLanguage = async (language: string) =>
      (await line.ask('/a', { headers: { 'accept-language': language } })).body
    assert.deepEqual([await inLanguage('en'), await inLanguage('de'), await inLanguage('en')], ['1', '2', '1'])
  })

  it('has a stale response confirmed, and serves it with its new headers', async () => {
    const clock = new FakeClock()
    line = await proxyOrigin(
      ({ request, response }) => {
        const isSame = request.headers['if-none-match'] === '"a"'
        response.writeHead(isSame ? 304 : 200, {
          etag: '"a"',
          'cache-control': 'max-age=60',
          'x-round': String(line.asked.length),
        })
        response.end(isSame ? undefined : 'body')
      },
      { cache: { clock } },
    )
    await line.ask('/a')
    await clock.advance(61_000)
    const { status, body, headers, did } = await line.ask('/a')
    assert.deepEqual([status, body, headers['x-round']], [200, 'body', '2'])
    assert.match(did, /fwd=stale; fwd-status=304; ttl=60; stored/)
    assert.match((await line.ask('/a')).did, /^hit/)
  })

  it('takes a 304 with another strong tag for no confirmation', async () => {
    const clock = new FakeClock()
    line = await proxyOrigin(
      ({ request, response }) => {
        const isAsked = request.headers['if-none-match'] !== undefined
        response.writeHead(isAsked ? 304 : 200, { etag: isAsked ? '"b"' : '"a"', 'cache-control': 'max-age=60' })
        response.end(isAsked ? undefined : 'body')
      },
      { cache: { clock } },
    )
    await line.ask('/a')
    await clock.advance(61_000)
    const { headers, body } = await line.ask('/a')
    assert.deepEqual([headers['etag'], body], ['"a"', 'body'])
    await line.ask('/a')
    assert.equal(line.asked.at(-1)!.headers['if-none-match'], undefined)
  })

  it('drops what a 304 makes private, and never learns a cookie from one', async () => {
    const clock = new FakeClock()
    let secret: Record<string, string> = { 'set-cookie': 'sid=1' }
    line = await proxyOrigin(
      ({ request, response }) => {
        const isAsked = request.headers['if-none-match'] !== undefined
        response.writeHead(isAsked ? 304 : 200, { etag: '"a"', 'cache-control': 'max-age=60', ...(isAsked && secret) })
        response.end(isAsked ? undefined : 'body')
      },
      { cache: { clock } },
    )
    await line.ask('/a')
    await clock.advance(61_000)
    assert.equal((await line.ask('/a')).headers['set-cookie'], undefined)
    assert.equal((await line.ask('/a')).headers['set-cookie'], undefined)
    secret = { 'cache-control': 'private' }
    await clock.advance(61_000)
    assert.match((await line.ask('/a')).did, /detail=private/)
    assert.match((await line.ask('/a')).did, /fwd=uri-miss/)
  })

  it('answers a client’s own condition, and the origin never sees it', async () => {
    line = await proxyOrigin(counting({ 'cache-control': 'max-age=60', etag: '"a"' }))
    const asked = { headers: { 'if-none-match': '"a"' } }
    const [first, second] = [await line.ask('/a', asked), await line.ask('/a', asked)]
    assert.deepEqual([first.status, second.status, line.asked.length], [304, 304, 1])
    assert.equal(line.asked[0]!.headers['if-none-match'], undefined)
    assert.equal((await line.ask('/a')).body, '1')
  })

  it('passes a range on when it has nothing, and cuts it out when it has all', async () => {
    line = await proxyOrigin(({ request, response }) => {
      if (request.headers.range)
        response.writeHead(206, { 'content-range': 'bytes 0-1/6', 'cache-control': 'max-age=60' }).end('ab')
      else response.writeHead(200, { 'cache-control': 'max-age=60' }).end('abcdef')
    })
    const headers = { range: 'bytes=0-1' }
    assert.match((await line.ask('/a', { headers })).did, /fwd=uri-miss; fwd-status=206$/)
    assert.equal((await line.ask('/a')).body, 'abcdef')
    const { status, body, headers: sent } = await line.ask('/a', { headers })
    assert.deepEqual([status, body, sent['content-range'], line.asked.length], [206, 'ab', 'bytes 0-1/6', 2])
  })

  it('stands in for an origin that fails or is gone, and says so', async () => {
    const clock = new FakeClock()
    let status = 200
    line = await proxyOrigin(
      ({ response }) => {
        if (status === 0) response.destroy()
        else response.writeHead(status, { 'cache-control': 'max-age=60' }).end('body')
      },
      { cache: { clock } },
    )
    await line.ask('/a')
    await clock.advance(61_000)
    for (status of [503, 0]) {
      const { status: told, body, did } = await line.ask('/a')
      assert.deepEqual([told, body], [200, 'body'])
      assert.match(did, /fwd=stale; ttl=-\d+; detail=stale-if-error/)
    }
    await clock.advance(600_000)
    const gone = await line.ask('/a')
    assert.equal(gone.status, 502)
    assert.equal(JSON.parse(gone.body).code, 'E_BAD_GATEWAY')
  })

  it('serves stale while it refreshes, and asks once for that', async () => {
    const clock = new FakeClock()
    const origin = holding({ 'cache-control': 'max-age=60, stale-while-revalidate=60' })
    line = await proxyOrigin(origin.answer, { cache: { clock } })
    const first = line.ask('/a')
    await origin.waiting(1)
    origin.release('old')
    await first
    await clock.advance(61_000)
    const stale = await Promise.all([line.ask('/a'), line.ask('/a'), line.ask('/a', { method: 'HEAD' })])
    assert.deepEqual(
      stale.map(({ did }) => did),
      Array(3).fill('hit; ttl=-1; detail=stale-while-revalidate'),
    )
    await origin.waiting(1)
    assert.equal(origin.held.length, 1)
    assert.equal(origin.held[0]!.request.method, 'GET')
    const refreshed = once(origin.held[0]!.response, 'close')
    origin.release('new')
    await refreshed
    assert.equal((await untilHit(() => line.ask('/a'))).body, 'new')
  })

  for (const [what, ask] of [
    ['a HEAD', { method: 'HEAD' }],
    ['a part', { headers: { range: 'bytes=0-0' } }],
  ] as const)
    it(`refreshes the whole when ${what} finds it stale`, async () => {
      const clock = new FakeClock()
      line = await proxyOrigin(counting({ 'cache-control': 'max-age=60, stale-while-revalidate=60' }), {
        cache: { clock },
      })
      await line.ask('/a')
      await clock.advance(61_000)
      assert.match((await line.ask('/a', ask)).did, /stale-while-revalidate$/)
      const { body } = await untilHit(() => line.ask('/a'))
      assert.deepEqual([body, line.asked.length, line.asked[1]!.method], ['2', 2, 'GET'])
      assert.equal(line.asked[1]!.headers.range, undefined)
    })

  it('says 504 to a client that wants nothing but what is stored', async () => {
    line = await proxyOrigin(counting())
    const headers = { 'cache-control': 'only-if-cached' }
    const { status, body } = await line.ask('/a', { headers })
    assert.deepEqual([status, JSON.parse(body).code, line.asked.length], [504, 'E_NOT_CACHED', 0])
    await line.ask('/a')
    assert.equal((await line.ask('/a', { headers })).status, 200)
  })
})

/** A refresh lands after its response has gone through: asks until something is there that is fresh. */
async function untilHit(ask: () => Promise<{ did: string; body: string }>) {
  for (;;) {
    const answer = await ask()
    if (/^hit; ttl=\d/.test(answer.did)) return answer
  }
}

describe('invalidation', () => {
  it('follows what changes something, at its address and at those that the answer names', async () => {
    line = await proxyOrigin(({ request, response }) => {
      if (request.method === 'GET') response.writeHead(200, { 'cache-control': 'max-age=60' }).end('x')
      else response.writeHead(201, { location: '/b', 'content-location': 'http://elsewhere.example/c' }).end()
    })
    for (const path of ['/a', '/b', '/c']) await line.ask(path)
    await line.ask('/a', { method: 'POST', body: 'x' })
    const hits: string[] = []
    for (const path of ['/a', '/b', '/c']) hits.push((await line.ask(path)).did.slice(0, 3))
    assert.deepEqual(hits, ['fwd', 'fwd', 'hit'])
  })

  it('does not follow what failed', async () => {
    line = await proxyOrigin(({ request, response }) => {
      response.writeHead(request.method === 'GET' ? 200 : 403, { 'cache-control': 'max-age=60' }).end('x')
    })
    await line.ask('/a')
    await line.ask('/a', { method: 'DELETE' })
    assert.match((await line.ask('/a')).did, /^hit/)
  })

  it('is done by tag and by address, and clients do not see the tags', async () => {
    let tag = 'red'
    line = await proxyOrigin(({ response }) =>
      response.writeHead(200, { 'cache-control': 'max-age=60', 'surrogate-key': tag }).end('x'),
    )
    assert.equal((await line.ask('/a')).headers['surrogate-key'], undefined)
    tag = 'blue'
    await line.ask('/b')
    await line.proxy.cache.purgeTags(['red'])
    assert.match((await line.ask('/a')).did, /uri-miss/)
    assert.match((await line.ask('/b')).did, /^hit/)
    await line.proxy.cache.purge(`${line.url}/b`)
    assert.match((await line.ask('/b')).did, /uri-miss/)
  })

  it('during a load keeps the old response out', async () => {
    const origin = holding()
    line = await proxyOrigin(origin.answer)
    const first = line.ask('/a')
    await origin.waiting(1)
    await line.proxy.cache.purge(`${line.url}/a`)
    origin.release('old')
    assert.equal((await first).body, 'old')
    const second = line.ask('/a')
    await origin.waiting(1)
    origin.release('new')
    assert.equal((await second).body, 'new')
  })
})

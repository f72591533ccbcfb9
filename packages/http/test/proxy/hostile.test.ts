import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { afterEach, describe, it } from 'node:test'
import { type ProxiedOrigin, proxyOrigin, type Question, serveBytes } from './origin.ts'

let line: ProxiedOrigin
afterEach(() => line.close())

/** Says what it was asked, as an application that believes its headers does. */
function echo({ request, response }: Question): void {
  void text(request).then((body) => {
    const { host, cookie } = request.headers
    response.writeHead(200, { 'cache-control': 'max-age=60' })
    response.end(
      JSON.stringify({ url: request.url, host, cookie, body, forwarded: request.headers['x-forwarded-host'] }),
    )
  })
}

describe('poisoning', () => {
  const attempts: [how: string, headers: Record<string, string>][] = [
    ['X-Forwarded-Host', { 'x-forwarded-host': 'evil.example' }],
    ['Forwarded', { forwarded: 'host=evil.example' }],
    ['X-Forwarded-Proto', { 'x-forwarded-proto': 'https' }],
    ['X-Original-URL', { 'x-original-url': '/evil' }],
    ['X-HTTP-Method-Override', { 'x-http-method-override': 'DELETE' }],
    ['a cookie', { cookie: 'sid=evil' }],
    ['Authorization', { authorization: 'Bearer evil' }],
    ['an API key', { 'x-api-key': 'evil' }],
    ['Cache-Control: no-store', { 'cache-control': 'no-store' }],
  ]
  for (const [how, headers] of attempts)
    it(`by ${how} reaches nobody else`, async () => {
      line = await proxyOrigin(echo)
      await line.ask('/a', { headers })
      const { did, body } = await line.ask('/a')
      assert.match(did, /fwd=uri-miss/)
      assert.doesNotMatch(body, /evil/)
    })

  it('by the body of a GET reaches nobody else', async () => {
    line = await proxyOrigin(echo)
    const headers = { 'content-length': '4' }
    assert.match((await line.ask('/a', { body: 'evil', headers })).did, /detail=body/)
    assert.match((await line.ask('/a')).did, /uri-miss/)
  })

  it('cannot take away what is stored', async () => {
    line = await proxyOrigin(({ request, response }) => {
      const isPrivate = request.headers.authorization !== undefined
      response.writeHead(200, { 'cache-control': isPrivate ? 'private' : 'max-age=60' }).end('x')
    })
    await line.ask('/a')
    for (const headers of [
      { 'cache-control': 'no-store, no-cache' },
      { authorization: 'x', 'cache-control': 'no-cache' },
    ])
      await line.ask('/a', { headers })
    assert.match((await line.ask('/a')).did, /^hit/)
  })

  it('by a header that Connection names does not select a variant with it', async () => {
    line = await proxyOrigin(({ request, response }) => {
      response
        .writeHead(200, { 'cache-control': 'max-age=60', vary: 'x-tenant' })
        .end(String(request.headers['x-tenant']))
    })
    await line.ask('/a', { headers: { connection: 'x-tenant', 'x-tenant': 'ann' } })
    assert.equal((await line.ask('/a', { headers: { 'x-tenant': 'ann' } })).body, 'ann')
  })

  it('by the spelling of a path keeps apart what an origin may keep apart', async () => {
    line = await proxyOrigin(({ request, response }) =>
      response.writeHead(200, { 'cache-control': 'max-age=60' }).end(request.url),
    )
    for (const path of [
      '/a/b',
      '/a%2Fb',
      '/a/./b',
      '/a/%2e/b',
      '//a/b',
      '/a/b/',
      '/a/b;x',
      '/a%5Cb',
      '/a/c/../b',
      '/a/b%00',
    ])
      assert.equal((await line.ask(path)).body, path)
  })
})

describe('a user', () => {
  const bySession = {
    cookies: ['sid'],
    user: ({ headers }: { headers: Record<string, unknown> }) => headers['cookie'] as string | undefined,
  }

  it('gets only what is everybody’s or the user’s own', async () => {
    line = await proxyOrigin(
      ({ request, response }) =>
        response.writeHead(200, { 'cache-control': 'private, max-age=60' }).end(request.headers.cookie ?? 'nobody'),
      { cache: bySession },
    )
    const as = async (cookie?: string) => await line.ask('/me', { headers: cookie ? { cookie } : {} })
    assert.deepEqual(
      [(await as('sid=ann')).body, (await as('sid=bob')).body, (await as()).body],
      ['sid=ann', 'sid=bob', 'nobody'],
    )
    assert.match((await as('sid=ann')).did, /^hit/)
    assert.match((await as()).did, /uri-miss/)
  })

  it('loses what is stored when anybody changes the address', async () => {
    line = await proxyOrigin(({ response }) => response.writeHead(200, { 'cache-control': 'max-age=60' }).end('x'), {
      cache: bySession,
    })
    const headers = { cookie: 'sid=ann' }
    await line.ask('/me', { headers })
    await line.ask('/me', { method: 'PUT', body: 'x' })
    assert.match((await line.ask('/me', { headers })).did, /uri-miss/)
  })
})

describe('a host', () => {
  it('is the same with port, capitals and a dot at its end', async () => {
    line = await proxyOrigin(echo, { cache: { hosts: ['Shop.example:80'] } })
    await line.ask('/a', { headers: { host: 'shop.example' } })
    for (const host of ['SHOP.example', 'shop.example:80', 'shop.example.', 'shop.example:0080'])
      assert.match((await line.ask('/a', { headers: { host } })).did, /^hit/, host)
  })

  it('that is not ours is refused, whatever the method', async () => {
    line = await proxyOrigin(echo, { cache: { hosts: ['shop.example'] } })
    for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS'])
      assert.equal((await line.ask('/a', { method, headers: { host: 'evil.example' } })).status, 421, method)
    assert.equal(line.asked.length, 0)
  })

  it('that is none is refused', async () => {
    line = await proxyOrigin(echo)
    for (const host of ['a b', 'a/b', 'a@b', 'a:b'])
      assert.equal((await line.ask('/a', { headers: { host } })).status, 400, host)
    assert.match(await line.raw('GET /a HTTP/1.0\r\n\r\n'), /^HTTP\/1.1 400/)
  })

  it('within the target must be that of the Host header', async () => {
    line = await proxyOrigin(echo)
    const own = await line.raw('GET http://shop.example/a HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n')
    assert.match(own, /"url":"\/a","host":"shop.example"/)
    const other = await line.raw(
      'GET http://evil.example/a HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n',
    )
    assert.match(other, /^HTTP\/1.1 400/)
    assert.equal(line.asked.length, 1)
  })
})

describe('smuggling', () => {
  const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n'

  for (const method of ['GET', 'DELETE', 'OPTIONS', 'POST'])
    it(`in the chunked body of a ${method} does not become a request`, async () => {
      line = await proxyOrigin(echo)
      const chunk = `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`
      const answer = await line.raw(
        `${method} /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk}`,
      )
      assert.match(answer, /"body":"GET \/smuggled/)
      await line.ask('/b')
      assert.deepEqual(
        line.asked.map(({ url }) => url),
        ['/a', '/b'],
      )
    })

  it('by a Connection that names Content-Length does not become a request', async () => {
    line = await proxyOrigin(echo)
    const head = `DELETE /a HTTP/1.1\r\nHost: x\r\nContent-Length: ${SMUGGLED.length}\r\nConnection: close, content-length\r\n\r\n`
    assert.match(await line.raw(head + SMUGGLED), /"body":"GET \/smuggled/)
    await line.ask('/b')
    assert.deepEqual(
      line.asked.map(({ url }) => url),
      ['/a', '/b'],
    )
  })

  it('by two framings is refused', async () => {
    line = await proxyOrigin(echo)
    const head =
      'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n'
    assert.match(await line.raw(`${head}0\r\n\r\n`), /^HTTP\/1.1 400/)
    assert.equal(line.asked.length, 0)
  })

  it('by an upgrade does not open a tunnel', async () => {
    line = await proxyOrigin(echo)
    const head = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n'
    assert.match(await line.raw(head), /^HTTP\/1.1 200/)
    assert.deepEqual([line.asked[0]!.headers.upgrade, line.asked.length], [undefined, 1])
  })

  it('by a body that breaks off does not leave the origin waiting for its rest', async () => {
    let aborted: (() => void) | undefined
    const seen = new Promise<void>((resolve) => {
      aborted = resolve
    })
    line = await proxyOrigin(({ request }) => request.once('close', () => aborted!()).resume())
    const head = 'POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\npart'
    const { connect } = await import('node:net')
    const socket = connect(line.port, '127.0.0.1', () => socket.write(head, () => setImmediate(() => socket.destroy())))
    await seen
    assert.equal(line.asked[0]?.complete ?? false, false)
  })
})

describe('an origin', () => {
  it('below a path is not left by dot segments, however they are written', async () => {
    line = await proxyOrigin(echo, {}, '/app')
    assert.match((await line.ask('/a..b/.well-known/..c')).body, /"url":"\/app\/a..b\/.well-known\/..c"/)
    for (const path of [
      '/../admin',
      '/a/%2e%2e/admin',
      '/a/.%2E/admin',
      '/a/..%2fadmin',
      '/a/..\\admin',
      '/a%5c../admin',
      '/a/..',
      '/a/..;/admin',
    ])
      assert.equal((await line.ask(path)).status, 400, path)
    assert.equal(line.asked.length, 1)
  })

  it('is told who asks, not what the client says of its host', async () => {
    line = await proxyOrigin(({ request, response }) => response.end(JSON.stringify(request.headers)))
    const { body } = await line.ask('/a', {
      headers: {
        host: 'shop.example',
        'x-forwarded-for': '1.2.3.4',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
      },
    })
    const { 'x-forwarded-for': chain, 'x-forwarded-host': host, 'x-forwarded-proto': scheme } = JSON.parse(body)
    assert.deepEqual([chain, host, scheme], ['1.2.3.4, 127.0.0.1', 'shop.example', 'http'])
  })

  it('that answers with what is no HTTP, or switches protocols, is a bad gateway', async () => {
    const answers = [
      'garbage\r\n\r\n',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      '',
    ]
    let count = 0
    const origin = await serveBytes((socket) => socket.once('data', () => socket.end(answers[count++])))
    line = await proxyOrigin(() => {}, { origin: origin.url })
    for (const _ of answers) assert.equal((await line.ask('/a')).status, 502)
    await origin.close()
  })

  it('that sends a header with a line break in it does not split the response', async () => {
    const origin = await serveBytes((socket) =>
      socket.once('data', () =>
        socket.end(
          'HTTP/1.1 200 OK\r\nx-a: b\rset-cookie: evil=1\r\ncache-control: max-age=60\r\ncontent-length: 0\r\n\r\n',
        ),
      ),
    )
    line = await proxyOrigin(() => {}, { origin: origin.url })
    const answer = await line.raw('GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    assert.doesNotMatch(answer, /^set-cookie/im)
    await origin.close()
  })

  it('that closes a kept connection is asked again, once', async () => {
    let connections = 0
    const origin = await serveBytes((socket) => {
      connections++
      let requests = 0
      socket.on('data', () => {
        if (++requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx')
        else socket.resetAndDestroy()
      })
    })
    line = await proxyOrigin(() => {}, { origin: origin.url })
    assert.deepEqual([(await line.ask('/a')).status, (await line.ask('/a')).status, connections], [200, 200, 2])
    await origin.close()
  })
})

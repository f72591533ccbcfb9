import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerOptions } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { type HardenServerOptions, hardenServer } from '../src/index.ts'

/** What a server answers to bytes that stop halfway, until it ends the connection. */
async function answerTo(
  bytes: string,
  options: HardenServerOptions,
  serverOptions: ServerOptions = {},
): Promise<string> {
  const server = hardenServer(
    createServer({ connectionsCheckingInterval: 20, ...serverOptions }, (request, response) => {
      request.resume()
      request.on('end', () => response.end('done'))
    }),
    options,
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(bytes)
  const answer = await buffer(socket)
  server.close()
  return answer.toString()
}

describe('a hardened server', () => {
  it('ends a client that never finishes its headers', async () => {
    assert.match(await answerTo('GET / HTTP/1.1\r\nhost: a\r\nx-slow', { headersTimeout: 50 }), /^HTTP\/1\.1 408 /)
  })

  it('ends a client that never finishes its body', async () => {
    const half = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf'
    assert.match(await answerTo(half, { headersTimeout: 20, requestTimeout: 60 }), /^HTTP\/1\.1 408 /)
  })

  it('ends a connection that stays idle', async () => {
    assert.match(await answerTo('GET / HTTP/1.1\r\nhost: a\r\n\r\n', { keepAliveTimeout: 30 }), /^HTTP\/1\.1 200 OK/)
  })

  it('answers so many requests on one connection, and says that the last one is', async () => {
    const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n'
    const answer = await answerTo(get + get + get, { maxRequestsPerSocket: 2, keepAliveTimeout: 30 })
    assert.equal(answer.match(/200 OK/g)?.length, 2)
    assert.match(answer, /connection: close/i)
  })

  it('has the bounds it was given, and headers never outlast the request', () => {
    const server = hardenServer(createServer(), { headersTimeout: '2m', requestTimeout: '30s', maxConnections: 10 })
    assert.deepEqual(
      [
        server.headersTimeout,
        server.requestTimeout,
        server.keepAliveTimeout,
        server.maxHeadersCount,
        server.maxConnections,
      ],
      [30_000, 30_000, 65_000, 200, 10],
    )
    assert.throws(() => hardenServer(createServer(), { headersTimout: 1 } as never), /did you mean 'headersTimeout'/)
  })
})

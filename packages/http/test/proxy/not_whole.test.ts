import assert from 'node:assert/strict'
import { request as requestHttp } from 'node:http'
import { afterEach, describe, it } from 'node:test'
import { createCachingProxy } from '../../src/index.ts'
import { counting, type ProxiedOrigin, proxyOrigin, serveBytes } from './origin.ts'

let line: ProxiedOrigin
afterEach(() => line.close())

describe('what is not whole', () => {
  it('is never kept, and the client sees that it broke off', async () => {
    let isBroken = true
    line = await proxyOrigin(({ response }) => {
      response.writeHead(200, { 'cache-control': 'max-age=60', 'content-length': '8' })
      if (!isBroken) return response.end('complete')
      response.write('half')
      setImmediate(() => response.destroy())
      return response
    })
    await assert.rejects(line.ask('/a'))
    isBroken = false
    const { did, body } = await line.ask('/a')
    assert.deepEqual([did.slice(0, 12), body], ['fwd=uri-miss', 'complete'])
  })

  it('because it is too large, is passed on and not kept', async () => {
    line = await proxyOrigin(counting({ 'cache-control': 'max-age=60' }), { cache: { maxBody: 0 } })
    await line.ask('/a')
    assert.match((await line.ask('/a')).did, /uri-miss/)
  })

  it('by its own word, is refused', async () => {
    const origin = await serveBytes((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'),
      )
    })
    line = await proxyOrigin(counting())
    const proxy = createCachingProxy({ origin: origin.url })
    const other = await proxyOrigin(() => {}, { origin: origin.url })
    await assert.rejects(other.ask('/a'))
    await assert.rejects(other.ask('/a'))
    proxy.close()
    await other.close()
    await origin.close()
  })
})

describe('a write', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve))

  it('whose client has left is waited for, and what it changed is forgotten', async () => {
    const [started, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    line = await proxyOrigin(async ({ request, response }) => {
      if (request.method === 'GET') return response.writeHead(200, { 'cache-control': 'max-age=60' }).end('x')
      started.resolve()
      await gate.promise
      return response.writeHead(204).end()
    })
    await line.ask('/a')
    const leaver = requestHttp(`${line.url}/a`, { method: 'DELETE', agent: false }).on('error', () => {})
    leaver.end()
    await started.promise
    leaver.destroy()
    for (let i = 0; i < 20; i++) await turn()
    gate.resolve()
    for (let i = 0; i < 20; i++) await turn()
    assert.match((await line.ask('/a')).did, /^fwd=uri-miss/)
  })

  it('that the origin broke off may have changed what is stored', async () => {
    line = await proxyOrigin(({ request, response }) => {
      if (request.method === 'GET') return response.writeHead(200, { 'cache-control': 'max-age=60' }).end('x')
      return request.socket.destroy()
    })
    await line.ask('/a')
    assert.equal((await line.ask('/a', { method: 'DELETE' })).status, 502)
    assert.match((await line.ask('/a')).did, /^fwd=uri-miss/)
  })
})

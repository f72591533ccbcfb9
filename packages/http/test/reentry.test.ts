import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { it } from 'node:test'
import { reenter } from '@tailwater/http/connect'

const request = {
  method: 'GET',
  scheme: 'http',
  host: 'shop.example',
  target: '/a?b=c',
  headers: { host: 'shop.example', accept: ['x/y', 'x/z'] },
  remoteAddress: '192.0.2.7',
} as const

it('a request enters a server that does not listen, from the address that it is said to come from', async () => {
  const seen: IncomingMessage[] = []
  const server = createServer((incoming, response) => {
    seen.push(incoming)
    response.write('one')
    response.end('two')
  })
  await reenter(server, { ...request, headers: { ...request.headers, accept: [...request.headers.accept] } })
  const [{ method, url, headers, socket }] = seen as [IncomingMessage]
  assert.deepEqual(
    [method, url, headers.host, headers.accept, socket.remoteAddress],
    ['GET', '/a?b=c', 'shop.example', 'x/y, x/z', '192.0.2.7'],
  )
  assert.equal('encrypted' in socket, false)
})

it('a secure server is entered behind its handshake', async () => {
  const seen: boolean[] = []
  const server = createSecureServer((incoming, response) => {
    seen.push('encrypted' in incoming.socket)
    response.end()
  })
  await reenter(server, { ...request, scheme: 'https', headers: {} })
  assert.deepEqual(seen, [true])
})

it('a server that hangs up is an error', async () => {
  const server = createServer((_incoming, response) => response.destroy())
  await assert.rejects(reenter(server, { ...request, headers: {} }), /hung up|hang up|aborted/)
})

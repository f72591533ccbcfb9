import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, it } from 'node:test'
import { digestOf, LoadRun } from '../load/load_run.ts'
import type { LoadOutcome } from '../load/plan.ts'
import { ResponseReader } from '../load/response_reader.ts'

const BODY = JSON.stringify({ data: 'ç'.repeat(500) })
const KNOWN = { path: '/a', bytes: Buffer.byteLength(BODY), digest: digestOf(Buffer.from(BODY)) }

describe('the load', () => {
  let server: Server

  afterEach(() => server.close())

  async function load(
    listener: RequestListener,
    given: { path?: string; measure?: number } = {},
  ): Promise<LoadOutcome> {
    server = createServer(listener).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const addresses = [{ ...KNOWN, path: given.path ?? KNOWN.path }]
    return new LoadRun({ port, addresses, connections: 4, warmUp: 0, measure: 100, seed: 1, ...given }).run()
  }

  const send: RequestListener = (_request, response) => void response.setHeader('content-length', KNOWN.bytes).end(BODY)

  it('counts what is answered, each connection asking again when it has its answer', async () => {
    let asked = 0
    let open = 0
    let most = 0
    const held: (() => void)[] = []
    const outcome = await load((request, response) => {
      asked++
      most = Math.max(most, ++open)
      const answer = () => {
        open--
        send(request, response)
      }
      // The first of each connection wait for each other: all four are there before any goes on.
      if (asked > 4) answer()
      else if (held.push(answer) === 4) for (const one of held) one()
    })
    assert.equal(outcome.answered, asked)
    assert.ok(outcome.requests > 8 && outcome.requests <= asked)
    assert.equal(most, 4)
    assert.equal(outcome.wrong, 0)
    assert.ok(outcome.bodiesChecked >= Math.floor(asked / 50))
    assert.ok(outcome.p50 <= outcome.p95 && outcome.p95 <= outcome.p99 && outcome.p99 <= outcome.max)
  })

  it('notices another status, another length, and another body of the same length', async () => {
    const refused = await load((_request, response) => void response.writeHead(503, { 'content-length': 2 }).end('no'))
    assert.equal(refused.wrong, refused.answered)
    assert.match(refused.firstWrong ?? '', /503: no/)
    server.close()
    const shorter = await load((_request, response) => void response.setHeader('content-length', 2).end('{}'))
    assert.equal(shorter.wrong, shorter.answered)
    server.close()
    const other = BODY.replaceAll('ç', 'ğ')
    const swapped = await load(
      (_request, response) => void response.setHeader('content-length', KNOWN.bytes).end(other),
    )
    assert.ok(swapped.bodiesChecked > 0)
    assert.equal(swapped.wrong, swapped.bodiesChecked)
  })

  it('breaks off when a connection is lost', async () => {
    await assert.rejects(
      load((request) => void request.socket.destroy()),
      /closed a connection|ECONNRESET/,
    )
  })
})

describe('reading responses', () => {
  const whole = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx: y\r\n\r\nhello')

  it('puts a response together wherever it was cut, though the memory is used again', () => {
    for (let cut = 1; cut < whole.length; cut++) {
      const reader = new ResponseReader()
      const memory = Buffer.from(whole.subarray(0, cut))
      assert.equal(reader.take(memory), undefined)
      memory.fill(0)
      const response = reader.take(whole.subarray(cut))
      assert.deepEqual([response?.status, response?.size, response?.body.toString()], [200, whole.length, 'hello'])
    }
  })

  it('refuses what it cannot read: no length, more bytes than asked for', () => {
    assert.throws(() => new ResponseReader().take(Buffer.from('HTTP/1.1 200 OK\r\n\r\nx')), /without content-length/)
    assert.throws(() => new ResponseReader().take(Buffer.concat([whole, whole])), /more than was asked/)
  })
})

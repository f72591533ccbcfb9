import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientRequest, get, type IncomingMessage } from 'node:http'
import { afterEach, describe, it } from 'node:test'
import { createMemoryResponseStore } from '../../src/index.ts'
import { holding, type ProxiedOrigin, proxyOrigin, type Question } from './origin.ts'

let line: ProxiedOrigin
afterEach(() => line.close())

describe('many who ask at once', () => {
  it('are answered by one request to the origin', async () => {
    const origin = holding()
    line = await proxyOrigin(origin.answer)
    const all = Array.from({ length: 1_000 }, () => line.ask('/a'))
    await origin.waiting(1)
    await turns(all.length)
    origin.release('x'.repeat(50_000))
    const answers = await Promise.all(all)
    assert.ok(answers.every(({ status, body }) => status === 200 && body.length === 50_000))
    assert.equal(line.asked.length, 1)
  })

  it('are not held up one behind the other by what cannot be kept', async () => {
    const origin = holding({ 'cache-control': 'no-store' })
    line = await proxyOrigin(origin.answer)
    const first = Array.from({ length: 10 }, () => line.ask('/a'))
    await origin.waiting(1)
    origin.release()
    await origin.waiting(9)
    origin.release()
    await Promise.all(first)
    const later = Array.from({ length: 10 }, () => line.ask('/a'))
    await origin.waiting(10)
    origin.release()
    assert.equal((await Promise.all(later)).length, 10)
  })

  it('cannot be set loose on the origin by one who asks with no-store', async () => {
    const origin = holding()
    line = await proxyOrigin(origin.answer)
    const loose = line.ask('/a', { headers: { 'cache-control': 'no-store' } })
    await origin.waiting(1)
    origin.release()
    await loose
    const all = Array.from({ length: 10 }, () => line.ask('/a'))
    await origin.waiting(1)
    await turns(50)
    assert.equal(origin.held.length, 1)
    origin.release()
    await Promise.all(all)
  })

  it('are served by what a client asked for that has left before the first byte', async () => {
    const origin = holding()
    line = await proxyOrigin(origin.answer)
    const leaver = start('/a')
    await origin.waiting(1)
    const stayer = line.ask('/a')
    await turns(20)
    leaver.destroy()
    await turns(20)
    origin.release('kept')
    assert.equal((await stayer).body, 'kept')
    assert.equal(line.asked.length, 1)
  })

  it('are served by what a client asked for that has left amid the body', async () => {
    let origin: Question | undefined
    line = await proxyOrigin((question) => {
      origin = question
      question.response.writeHead(200, { 'cache-control': 'max-age=60' }).write('first ')
    })
    const leaver = start('/a')
    const [response] = (await once(leaver, 'response')) as [IncomingMessage]
    await once(response, 'data')
    const stayer = line.ask('/a')
    leaver.destroy()
    await turns(20)
    origin!.response.end('second')
    assert.equal((await stayer).body, 'first second')
    assert.equal(line.asked.length, 1)
  })

  it('are not held up by one who reads slowly', async () => {
    const body = 'x'.repeat(8_000_000)
    line = await proxyOrigin(({ response }) => response.writeHead(200, { 'cache-control': 'max-age=60' }).end(body), {
      cache: { maxBody: '10mb', store: createMemoryResponseStore({ maxBytes: '100mb' }) },
    })
    const slow = start('/a')
    const [response] = (await once(slow, 'response')) as [IncomingMessage]
    response.pause()
    const quick = await line.ask('/a')
    assert.deepEqual([quick.body.length, line.asked.length], [body.length, 1])
    slow.destroy()
  })
})

/** A request whose client may leave. */
function start(path: string): ClientRequest {
  return get(line.url + path, { agent: false }).on('error', () => {})
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}

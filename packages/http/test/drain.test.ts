import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { systemClock } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import Fastify from 'fastify'
import { fastifyMiddleware } from '../src/adapters/fastify.ts'
import { createDrain } from '../src/index.ts'
import { exchangeOf } from './exchange_fixture.ts'

/** A server whose `/slow` answers when told to, behind a drain. */
async function serve(test: TestContext) {
  const drain = createDrain()
  const app = Fastify({ return503OnClosing: false })
  const held: (() => void)[] = []
  let arrived = () => {}
  await app.register(fastifyMiddleware([drain.middleware], { closing: drain.closing }))
  app.get('/slow', async () => {
    await new Promise<void>((resolve) => {
      held.push(resolve)
      arrived()
    })
    return 'slow answer'
  })
  app.get('/quick', async () => 'quick answer')
  await app.listen({ port: 0, host: '127.0.0.1' })
  test.after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  return {
    drain,
    server: app.server,
    port,
    release: () => held.forEach((resolve) => void resolve()),
    /** Resolves when so many slow requests have reached their handler. */
    holding: (count: number) =>
      new Promise<void>((resolve) => {
        arrived = () => held.length >= count && resolve()
        arrived()
      }),
  }
}

async function request(
  port: number,
  path: string,
  agent?: Agent,
): Promise<{ status: number | undefined; connection: string | undefined; body: string }> {
  const [response] = (await once(get({ port, path, host: '127.0.0.1', ...(agent && { agent }) }), 'response')) as [
    IncomingMessage,
  ]
  const body = await text(response)
  return { status: response.statusCode, connection: response.headers.connection, body }
}

describe('a drain', () => {
  it('answers what is in flight, tells its clients to close, and cuts nobody off', async (test) => {
    const { drain, server, port, release, holding } = await serve(test)
    const agent = new Agent({ keepAlive: true })
    const inFlight = Array.from({ length: 10 }, () => request(port, '/slow', agent))
    await holding(10)
    assert.equal(drain.inFlight, 10)
    const closed = drain.close(server, systemClock.elapsed() + 10_000)
    assert.ok(drain.isDraining && drain.closing.aborted)
    release()
    for (const answer of await Promise.all(inFlight))
      assert.deepEqual(answer, { status: 200, connection: 'close', body: 'slow answer' })
    assert.equal(await closed, 0)
    assert.equal(server.listening, false)
    await assert.rejects(request(port, '/quick'), { code: 'ECONNREFUSED' })
  })

  it('answers requests that arrive on kept connections while it begins', async (test) => {
    const { drain, server, port } = await serve(test)
    const agents = Array.from({ length: 5 }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
    await Promise.all(agents.map((agent) => request(port, '/quick', agent)))
    const closed = drain.close(server, systemClock.elapsed() + 10_000)
    for (const agent of agents)
      assert.deepEqual(await request(port, '/quick', agent), { status: 200, connection: 'close', body: 'quick answer' })
    assert.equal(await closed, 0)
  })

  it('answers a request that comes over an open connection after listening has ended', async (test) => {
    const { drain, server, port, release, holding } = await serve(test)
    const spare = connect(port, '127.0.0.1')
    await once(spare, 'connect')
    const closed = drain.close(server, systemClock.elapsed() + 10_000)
    while (server.listening) await new Promise((resolve) => setImmediate(resolve))
    spare.write('GET /slow HTTP/1.1\r\nhost: a\r\n\r\n')
    const answer = text(spare)
    await holding(1)
    // Longer than connections without a request are waited for.
    await new Promise((resolve) => systemClock.after(400, () => resolve(undefined)))
    release()
    assert.match(await answer, /^HTTP\/1\.1 200 OK/)
    assert.equal(await closed, 0)
  })

  it('is not held up by idle connections, nor by a browser that keeps a spare one', async (test) => {
    const { drain, server, port } = await serve(test)
    const agent = new Agent({ keepAlive: true })
    await request(port, '/quick', agent)
    const spare = connect(port, '127.0.0.1')
    spare.resume()
    await once(spare, 'connect')
    const ended = once(spare, 'close')
    assert.equal(await drain.close(server, systemClock.elapsed() + 60_000), 0)
    await ended
  })

  it('cuts off at the deadline what is still in flight, and says how much that was', async (test) => {
    const { drain, server, port, holding } = await serve(test)
    const cut = request(port, '/slow')
    await holding(1)
    const failed = assert.rejects(cut, { code: 'ECONNRESET' })
    assert.equal(await drain.close(server, systemClock.elapsed() + 200), 1)
    await failed
  })

  it('is over at once when nothing is in flight, and at the deadline when something stays', async () => {
    const clock = new FakeClock()
    const drain = createDrain({ clock })
    assert.equal(await drain.settled(), true)
    const exchange = exchangeOf()
    void drain.middleware.before!(exchange)
    const late = drain.settled(clock.elapsed() + 1_000)
    await clock.advance(1_000)
    assert.equal(await late, false)
    const whole = drain.settled(clock.elapsed() + 1_000)
    drain.middleware.finish!(exchange, { status: 200, aborted: false, bytes: 0 })
    assert.equal(await whole, true)
    assert.equal(clock.pending, 0)
  })

  it('answers a request that reached the kernel while the process was held up beyond the grace', async (test) => {
    const { drain, server, port } = await serve(test)
    const sent = new Int32Array(new SharedArrayBuffer(4))
    const client = new Worker(new URL('./late_client.ts', import.meta.url), { workerData: { port, sent } })
    await once(client, 'online')
    const received = once(client, 'message') as Promise<[string]>
    const closing = drain.close(server, systemClock.elapsed() + 10_000)
    // This thread stands still, as on a machine that is too busy, until the request has been sent and the grace is over.
    Atomics.wait(sent, 0, 0, 5_000)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150)
    assert.equal(await closing, 0)
    assert.match((await received)[0], /^HTTP\/1\.1 200 [\s\S]*quick answer$/)
  })
})

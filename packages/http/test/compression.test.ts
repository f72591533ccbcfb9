import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { hasCode } from '@tailwater/core'
import { compression, conditional, hasZstd, type Reply } from '../src/index.ts'
import { bytesOf, exchangeOf, jsonReply, passThrough } from './exchange_fixture.ts'

const DECODERS = { zstd: zstdDecompressSync, br: brotliDecompressSync, gzip: gunzipSync }
const asking = (coding: string, more: Parameters<typeof exchangeOf>[0] = {}) =>
  exchangeOf({ ...more, headers: { 'accept-encoding': coding, ...more?.headers } })

describe('compression', () => {
  for (const coding of ['zstd', 'br', 'gzip'] as const) {
    for (const [kind, bytes] of [
      ['a short body', 5_000],
      ['a long body', 100_000],
    ] as const) {
      it(`sends ${kind} in ${coding}, which decodes to what the handler gave`, async () => {
        if (coding === 'zstd') assert.ok(hasZstd)
        const plain = jsonReply(bytes)
        const reply = await passThrough(compression(), asking(coding), plain)
        assert.equal(reply.headers['content-encoding'], coding)
        assert.equal(reply.headers['vary'], 'Accept-Encoding')
        const sent = await bytesOf(reply)
        assert.equal(reply.headers['content-length'], String(sent.length))
        assert.ok(sent.length < (plain.body as string).length / 2)
        assert.equal(DECODERS[coding](sent).toString(), plain.body)
      })
    }

    it(`sends a stream in ${coding}, without a length`, async () => {
      const rows = Array.from({ length: 5_000 }, (_, id) => `{"id":${id}}\n`)
      const reply = await passThrough(compression(), asking(coding), {
        status: 200,
        headers: { 'content-type': 'application/x-ndjson' },
        body: Readable.from(rows),
      })
      assert.equal(reply.headers['content-length'], undefined)
      assert.equal(DECODERS[coding](await bytesOf(reply)).toString(), rows.join(''))
    })
  }

  const untouched: [why: string, reply: Reply, parts?: Parameters<typeof exchangeOf>[0]][] = [
    ['a body below the threshold', jsonReply(100)],
    ['an event stream', { ...jsonReply(5_000), headers: { 'content-type': 'text/event-stream' } }],
    ['a picture', { ...jsonReply(5_000), headers: { 'content-type': 'image/png' } }],
    ['a body without a type', { ...jsonReply(5_000), headers: {} }],
    ['a body that is coded already', jsonReply(5_000, { 'content-encoding': 'br' })],
    ['a reply that says no-transform', jsonReply(5_000, { 'cache-control': 'public, no-transform' })],
    ['a reply with a digest of its bytes', jsonReply(5_000, { 'repr-digest': 'sha-256=:x:' })],
    ['a part of a range', { ...jsonReply(5_000, { 'content-range': 'bytes 0-4999/9000' }), status: 206 }],
    ['a reply to a request for a range', jsonReply(5_000), { headers: { range: 'bytes=0-99' } }],
    ['204', { status: 204, headers: {}, body: undefined }],
    ['the reply to HEAD', jsonReply(5_000), { method: 'HEAD' }],
  ]
  for (const [why, plain, parts] of untouched)
    it(`leaves alone ${why}`, async () => {
      const reply = await passThrough(compression(), asking('gzip', parts), plain)
      assert.equal(reply.body, plain.body)
      assert.equal(reply.headers['content-encoding'], plain.headers['content-encoding'])
    })

  it('names Accept-Encoding in Vary for a client that accepts no coding, since others get another body', async () => {
    const reply = await passThrough(compression(), exchangeOf(), jsonReply(5_000))
    assert.equal(reply.headers['vary'], 'Accept-Encoding')
    assert.equal(reply.headers['content-encoding'], undefined)
  })

  it('does not touch the reply it was given, which a cache may keep', async () => {
    const plain = jsonReply(5_000, { etag: '"x"', 'accept-ranges': 'bytes' })
    const before = structuredClone(plain.headers)
    const reply = await passThrough(compression(), asking('gzip'), plain)
    assert.deepEqual(plain.headers, before)
    assert.equal(reply.headers['accept-ranges'], undefined)
  })

  it('gives the coded variant a strong ETag of its own, and leaves a weak one', async () => {
    const strong = await passThrough(compression(), asking('gzip'), jsonReply(5_000, { etag: '"x"' }))
    assert.equal(strong.headers['etag'], '"x+gzip"')
    const weak = await passThrough(compression(), asking('gzip'), jsonReply(5_000, { etag: 'W/"x"' }))
    assert.equal(weak.headers['etag'], 'W/"x"')
  })

  it('answers 304 with the ETag of the variant that the client holds', async () => {
    const [outer, inner] = [compression(), conditional()]
    const first = asking('br')
    const full = await outer.after!(first, await inner.after!(first, jsonReply(5_000)))
    const etag = full.headers['etag'] as string
    assert.match(etag, /\+br"$/)
    const second = asking('br', { headers: { 'if-none-match': etag } })
    const reply = await outer.after!(second, await inner.after!(second, jsonReply(5_000)))
    assert.equal(reply.status, 304)
    assert.equal(reply.headers['etag'], etag)
    assert.equal(second.replyHeaders['vary'], 'Accept-Encoding')
  })

  it('refuses with 406, before the handler runs, a client that accepts nothing on offer', async () => {
    assert.throws(
      () => compression().before!(asking('identity;q=0')),
      (error) => hasCode(error, 'E_CODING_REFUSED'),
    )
  })

  it('sends the same bytes again without compressing again', async () => {
    const [outer, inner] = [compression(), conditional()]
    const send = async () => {
      const exchange = asking('gzip')
      return outer.after!(exchange, await inner.after!(exchange, jsonReply(5_000)))
    }
    assert.equal((await send()).body, (await send()).body)
  })

  it('sends as it is what would exceed the bound on compressions at one time', async () => {
    const step = compression({ maxConcurrent: 1, threshold: 1 })
    const slow = new PassThrough()
    const text = { 'content-type': 'text/plain' }
    const first = await step.after!(asking('gzip'), { status: 200, headers: text, body: slow })
    const second = new PassThrough()
    const crowded = await step.after!(asking('gzip'), { status: 200, headers: text, body: second })
    assert.equal(crowded.body, second)
    slow.end('done')
    await bytesOf(first)
    const third = await step.after!(asking('gzip'), { status: 200, headers: text, body: Readable.from(['x']) })
    assert.equal(third.headers['content-encoding'], 'gzip')
    await bytesOf(third)
  })
})

/** Not `once`, which fails on the error that a stream cut short is told. */
const closeOf = (stream: Readable) => new Promise<void>((resolve) => void stream.once('close', resolve))

describe('a compressed stream', () => {
  const open = (body: Readable, signal = new AbortController().signal) =>
    compression().after!(asking('gzip', { signal }), {
      status: 200,
      headers: { 'content-type': 'text/plain' },
      body,
    }) as Reply & {
      body: Readable
    }

  it('reaches the client when the source pauses, not when the encoder is full', async () => {
    const source = new PassThrough()
    const decoded = open(source).body.pipe(createGunzip())
    decoded.setEncoding('utf8')
    source.write('first row\n')
    assert.deepEqual(await once(decoded, 'data'), ['first row\n'])
    source.write('second row\n')
    assert.deepEqual(await once(decoded, 'data'), ['second row\n'])
    source.end()
    await once(decoded, 'end')
  })

  it('ends encoder and source when the client goes away', async () => {
    const client = new AbortController()
    const source = new PassThrough()
    const { body } = open(source, client.signal)
    source.write('first row\n')
    client.abort()
    await closeOf(source)
    assert.ok(body.destroyed && source.destroyed)
  })

  it('ends at once when the client had gone before', async () => {
    const source = new PassThrough()
    const closed = closeOf(source)
    assert.ok(open(source, AbortSignal.abort()).body.destroyed)
    await closed
  })

  it('ends the source when the sender destroys the body', async () => {
    const source = new PassThrough()
    const closed = closeOf(source)
    open(source).body.destroy()
    await closed
  })

  it('fails when its source fails, instead of looking complete', async () => {
    const source = new PassThrough()
    const { body } = open(source)
    body.resume()
    source.write('half')
    source.destroy(new Error('disk away'))
    const [error] = await once(body, 'error')
    assert.equal(error.message, 'disk away')
  })

  it('waits for a client that reads slowly', async () => {
    let given = 0
    const source = new Readable({
      read() {
        given += 65_536
        this.push(given > 50_000_000 ? null : crypto.getRandomValues(Buffer.alloc(65_536)))
      },
    })
    const { body } = open(source)
    await once(body, 'readable')
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.ok(given < 2_000_000, `took ${given} bytes that nobody read`)
    body.destroy()
    await closeOf(source)
  })
})

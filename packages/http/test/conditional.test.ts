import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { conditional, type HttpProblem, type Reply, requireVersion, versionTag } from '../src/index.ts'
import { exchangeOf, jsonReply, passThrough } from './exchange_fixture.ts'

const MONDAY = 'Mon, 16 Nov 2026 10:00:00 GMT'
const TUESDAY = 'Tue, 17 Nov 2026 10:00:00 GMT'
const read = (headers: Record<string, string>, reply: Reply = jsonReply(200), method = 'GET') =>
  passThrough(conditional(), exchangeOf({ method, headers }), reply)

describe('a conditional read', () => {
  it('gives equal bodies equal ETags, and others another', async () => {
    const [a, b, c] = await Promise.all([read({}), read({}), read({}, jsonReply(300))])
    assert.match(a.headers['etag'] as string, /^"[\w-]{22}"$/)
    assert.equal(a.headers['etag'], b.headers['etag'])
    assert.notEqual(a.headers['etag'], c.headers['etag'])
  })

  it('makes the same ETag of text and of its bytes', async () => {
    const plain = jsonReply(200)
    const bytes = await read({}, { ...plain, body: Buffer.from(plain.body as string) })
    assert.equal(bytes.headers['etag'], (await read({}, plain)).headers['etag'])
  })

  it('makes weak ETags where asked, and none where switched off', async () => {
    const weak = await passThrough(conditional({ etag: 'weak' }), exchangeOf(), jsonReply(200))
    assert.match(weak.headers['etag'] as string, /^W\/"/)
    const off = await passThrough(conditional({ etag: 'off' }), exchangeOf(), jsonReply(200))
    assert.equal(off.headers['etag'], undefined)
  })

  it("keeps a handler's own ETag", async () => {
    assert.equal((await read({}, jsonReply(200, { etag: '"v7"' }))).headers['etag'], '"v7"')
  })

  it('leaves streams, long bodies, other statuses and other methods without an ETag', async () => {
    const stream = { ...jsonReply(200), body: new PassThrough() }
    assert.equal((await read({}, stream)).headers['etag'], undefined)
    assert.equal((await read({}, { ...jsonReply(200), status: 404 })).headers['etag'], undefined)
    assert.equal((await read({}, jsonReply(200), 'POST')).headers['etag'], undefined)
    const short = await passThrough(conditional({ maxBody: 100 }), exchangeOf(), jsonReply(200))
    assert.equal(short.headers['etag'], undefined)
  })

  it('answers 304 without body and without headers of the body, and keeps what RFC 9110 asks for', async () => {
    const { headers } = await read({})
    const own = {
      'cache-control': 'max-age=60',
      'content-language': 'en',
      'content-location': '/products.en',
      vary: 'Accept-Language',
    }
    const reply = await read(
      { 'if-none-match': headers['etag'] as string },
      jsonReply(200, { ...own, 'last-modified': MONDAY }),
    )
    assert.equal(reply.status, 304)
    assert.equal(reply.body, undefined)
    assert.deepEqual(reply.headers, {
      etag: headers['etag'],
      'cache-control': 'max-age=60',
      'content-location': '/products.en',
      vary: 'Accept-Language',
    })
  })

  it('answers HEAD as it answers GET', async () => {
    const { headers } = await read({}, jsonReply(200), 'HEAD')
    assert.equal((await read({ 'if-none-match': headers['etag'] as string }, jsonReply(200), 'HEAD')).status, 304)
  })

  it('ends the body that it does not send', async () => {
    const body = new PassThrough()
    await read({ 'if-none-match': '"v7"' }, { ...jsonReply(200, { etag: '"v7"' }), body })
    assert.ok(body.destroyed)
  })

  const cases: [why: string, asked: Record<string, string>, own: Record<string, string>, status: number][] = [
    ['a tag in a list matches', { 'if-none-match': '"v6", W/"v7"' }, { etag: '"v7"' }, 304],
    ['a star matches whatever there is', { 'if-none-match': '*' }, { etag: '"v7"' }, 304],
    ['another tag does not match', { 'if-none-match': '"v6"' }, { etag: '"v7"' }, 200],
    ['an unchanged date is enough without a tag', { 'if-modified-since': MONDAY }, { 'last-modified': MONDAY }, 304],
    ['a later change is sent', { 'if-modified-since': MONDAY }, { 'last-modified': TUESDAY }, 200],
    [
      'a tag condition silences the date',
      { 'if-none-match': '"v6"', 'if-modified-since': TUESDAY },
      { etag: '"v7"', 'last-modified': MONDAY },
      200,
    ],
    ['a date that is none is ignored', { 'if-modified-since': 'yesterday' }, { 'last-modified': MONDAY }, 200],
    ['If-Match with another tag fails', { 'if-match': '"v6"' }, { etag: '"v7"' }, 412],
    ['If-Match comes before If-None-Match', { 'if-match': '"v6"', 'if-none-match': '"v7"' }, { etag: '"v7"' }, 412],
    ['If-Match with the tag goes on', { 'if-match': '"v7"' }, { etag: '"v7"' }, 200],
    ['If-Match never matches a weak tag', { 'if-match': 'W/"v7"' }, { etag: 'W/"v7"' }, 412],
    ['If-Unmodified-Since fails after a change', { 'if-unmodified-since': MONDAY }, { 'last-modified': TUESDAY }, 412],
    [
      'If-Match silences If-Unmodified-Since',
      { 'if-match': '"v7"', 'if-unmodified-since': MONDAY },
      { etag: '"v7"', 'last-modified': TUESDAY },
      200,
    ],
  ]
  for (const [why, asked, own, status] of cases)
    it(why, async () => assert.equal((await read(asked, jsonReply(200, own))).status, status))

  it('leaves the reply it was given as it was, which a cache may keep', async () => {
    const plain = jsonReply(200)
    await read({}, plain)
    assert.equal(plain.headers['etag'], undefined)
  })
})

describe('a conditional write', () => {
  const write = (headers: Record<string, string>, current: Parameters<typeof requireVersion>[1], required = false) => {
    try {
      requireVersion(exchangeOf({ method: 'PUT', headers }), current, { required })
      return 200
    } catch (error) {
      assert.ok(hasCode(error, 'E_PRECONDITION_FAILED') || hasCode(error, 'E_PRECONDITION_REQUIRED'))
      return (error as HttpProblem).status
    }
  }
  const v7 = { etag: versionTag(7) }

  it('goes on when the version is the one stated', () => assert.equal(write({ 'if-match': '"v7"' }, v7), 200))
  it('goes on when the tag is that of a compressed read', () =>
    assert.equal(write({ 'if-match': '"v7+zstd"' }, v7), 200))
  it('is refused when somebody has written meanwhile', () => assert.equal(write({ 'if-match': '"v6"' }, v7), 412))
  it('is refused when the resource is gone', () => {
    assert.equal(write({ 'if-match': '"v7"' }, undefined), 412)
    assert.equal(write({ 'if-match': '*' }, undefined), 412)
  })
  it('may create only what does not exist', () => {
    assert.equal(write({ 'if-none-match': '*' }, undefined), 200)
    assert.equal(write({ 'if-none-match': '*' }, v7), 412)
  })
  it('may state a date, to the second', () => {
    assert.equal(write({ 'if-unmodified-since': MONDAY }, { modifiedAt: Date.parse(MONDAY) + 900 }), 200)
    assert.equal(write({ 'if-unmodified-since': MONDAY }, { modifiedAt: Date.parse(MONDAY) + 1_000 }), 412)
  })
  it('may go without a version unless one is required', () => {
    assert.equal(write({}, v7), 200)
    assert.equal(write({}, v7, true), 428)
    assert.equal(write({ 'if-match': '"v7"' }, v7, true), 200)
  })
})

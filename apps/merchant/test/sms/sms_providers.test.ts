import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createDiskFileStore } from 'tailwater'
import { createFileSmsProvider } from '../../src/sms/file_sms_provider.ts'
import { createHttpSmsProvider } from '../../src/sms/http_sms_provider.ts'
import { startHttpPeer } from '../testing/http_peer.ts'

const folder = await mkdtemp(join(tmpdir(), 'tailwater-sms-'))
after(() => rm(folder, { recursive: true }))

const sms = { to: '+441632960001', text: 'Order 7 was placed. Grüße', id: 'notification-7' }
const SECRET = 'a secret that both of them know'

it('without a provider a message is a file in the outbox, and the same message is the same file', async () => {
  const files = createDiskFileStore(folder)
  const provider = createFileSmsProvider(files)
  await provider.send(sms)
  await provider.send(sms)
  const keys = []
  for await (const { key } of files.list('outbox/')) keys.push(key)
  assert.equal(keys.length, 1)
  assert.equal(
    await text(await files.read(keys[0]!)),
    'To: +441632960001\nId: notification-7\n\nOrder 7 was placed. Grüße\n',
  )
})

it('a provider gets the message signed, with a time and an id by which it sees repetitions', async () => {
  const peer = await startHttpPeer(() => ({ status: 202 }))
  const clock = new FakeClock()
  await createHttpSmsProvider({ url: peer.url, secret: SECRET, clock }).send(sms)
  const { headers, body } = peer.requests[0]!
  assert.deepEqual(JSON.parse(body), sms)
  const [, seconds, signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-signature']))!
  assert.equal(Number(seconds), Math.floor(clock.now() / 1_000))
  assert.equal(signature, createHmac('sha256', SECRET).update(`${seconds}.${body}`).digest('hex'))
  assert.equal(headers['idempotency-key'], 'notification-7')
})

for (const status of [408, 429, 500, 503])
  it(`an answer of ${status} may be another one later`, async () => {
    const peer = await startHttpPeer(() => ({ status }))
    const provider = createHttpSmsProvider({ url: peer.url, secret: SECRET, clock: new FakeClock() })
    await assert.rejects(provider.send(sms), { code: 'E_SMS_UNAVAILABLE' })
  })

for (const status of [400, 401, 422])
  it(`an answer of ${status} stays what it is`, async () => {
    const peer = await startHttpPeer(() => ({ status }))
    const provider = createHttpSmsProvider({ url: peer.url, secret: SECRET, clock: new FakeClock() })
    await assert.rejects(provider.send(sms), { code: 'E_JOB_PERMANENT' })
  })

it('a provider that does not answer is given up on after its time', async () => {
  const clock = new FakeClock()
  const peer = await startHttpPeer(() => {
    // It has the request: now its time passes.
    void clock.advance(10_000)
    return 'silence'
  })
  const provider = createHttpSmsProvider({ url: peer.url, secret: SECRET, clock })
  await assert.rejects(provider.send(sms), { code: 'E_SMS_UNAVAILABLE', message: /10000 ms/ })
})

it('a message whose job is told to stop is given up on, for the reason of the job', async () => {
  const stop = new AbortController()
  const reason = new Error('the process is stopping')
  const peer = await startHttpPeer(() => {
    stop.abort(reason)
    return 'silence'
  })
  const provider = createHttpSmsProvider({ url: peer.url, secret: SECRET, clock: new FakeClock() })
  await assert.rejects(provider.send(sms, { signal: stop.signal }), reason)
})

it('a provider that is not there is said so', async () => {
  const provider = createHttpSmsProvider({ url: 'http://127.0.0.1:1/', secret: SECRET, clock: new FakeClock() })
  await assert.rejects(provider.send(sms), { code: 'E_SMS_UNAVAILABLE', message: /127\.0\.0\.1:1/ })
})

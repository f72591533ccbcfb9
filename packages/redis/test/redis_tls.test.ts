import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createRedis } from '../src/index.ts'
import { startRedisTls, type TestRedisTls } from '../src/testing/index.ts'

describe('a connection over TLS', () => {
  let server: TestRedisTls
  before(async () => {
    server = await startRedisTls({ password: 'secret' })
  })
  after(() => server.stop())

  it('is made with the authority that signed the certificate', async () => {
    const redis = createRedis({ url: server.url, tls: { ca: server.ca } })
    await redis.start()
    assert.equal(await redis.command('PING'), 'PONG')
    await redis.stop()
  })

  it('is refused to a server whose certificate nobody trusts', async () => {
    await assert.rejects(createRedis({ url: server.url }).start(), {
      code: 'E_REDIS_UNAVAILABLE',
      message: /self-signed certificate/,
    })
  })

  it('is needed where the server speaks nothing else', async () => {
    await assert.rejects(createRedis({ port: server.port, password: 'secret', connectTimeout: 500 }).start(), {
      code: 'E_REDIS_UNAVAILABLE',
    })
  })
})

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createKeyring } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createTokens } from '@tailwater/http'
import { addMerchant, type MerchantApp, startMerchantApp, type TestMerchant } from '../testing/merchant_app.ts'

const HOUR = 3_600_000

describe('a token for a day', () => {
  const clock = new FakeClock()
  let app: MerchantApp
  let merchant: TestMerchant

  before(async () => {
    app = await startMerchantApp({ clock })
    merchant = await addMerchant(app, 'northern')
  })
  after(() => app.close())

  const show = (token: string) => app.ask('GET', `/api/merchants/${merchant.id}`, { token })
  const exchange = (apiKey: string) => app.ask('POST', '/api/auth/token', { body: { apiKey } })

  it('stands for the merchant whose key it was made from, for 24 hours', async () => {
    const { body } = await exchange(merchant.token)
    assert.equal(body.tokenType, 'Bearer')
    assert.equal(body.expiresIn, 86_400)
    assert.equal((await show(body.token)).body.id, merchant.id)
    clock.step(23 * HOUR)
    assert.equal((await show(body.token)).status, 200)
    clock.step(2 * HOUR)
    assert.equal((await show(body.token)).status, 401)
  })

  it('can be had by the key as Bearer token too', async () => {
    const { status, body } = await app.ask('POST', '/api/auth/token', { token: merchant.token })
    assert.equal(status, 200)
    assert.equal((await show(body.token)).status, 200)
  })

  it('is not given for a token, or for a key that is not one', async () => {
    const { body } = await exchange(merchant.token)
    for (const key of ['tw_live_', `${merchant.token}x`, '']) assert.equal((await exchange(key)).status, 401)
    assert.equal((await exchange(body.token)).status, 400)
    assert.equal((await app.ask('POST', '/api/auth/token', { token: body.token })).status, 401)
    assert.equal((await app.ask('POST', '/api/auth/token')).status, 401)
  })

  it('ends with its key', async () => {
    const made = await app.ask('POST', '/api/api-keys', { token: merchant.token, body: { name: 'short-lived' } })
    const { body } = await exchange(made.body.key)
    await app.ask('DELETE', `/api/api-keys/${made.body.id}`, { token: merchant.token })
    assert.equal((await show(made.body.key)).status, 401)
    assert.equal((await show(body.token)).status, 401)
    assert.equal((await exchange(made.body.key)).status, 401)
  })

  it('of another audience, or signed with another secret, opens nothing', async () => {
    const [row] = await app.rows<{ id: number }>('SELECT id::float8 AS id FROM $schema.api_keys LIMIT 1')
    const claims = { key: row!.id }
    for (const [secret, audience] of [
      ['a secret of the tests, long enough', 'tailwater-admin'],
      ['another secret of the tests, as long', 'merchant'],
    ]) {
      const tokens = createTokens({ keyring: createKeyring([secret!]), issuer: 'tailwater', clock })
      const { token } = await tokens.issue({ subject: String(merchant.id), audience: audience!, ttl: '1h', claims })
      assert.equal((await show(token)).status, 401)
    }
  })

  it('leaves no key in the database but its hash', async () => {
    const [row] = await app.rows<{ hash: Buffer }>('SELECT hash FROM $schema.api_keys LIMIT 1')
    assert.equal(row!.hash.length, 32)
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKeyring } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createTokens } from '@tailwater/http'
import { SignJWT, UnsecuredJWT } from 'jose'

const first = 'a'.repeat(40)
const second = 'b'.repeat(40)
const request = { subject: '7', audience: 'merchant', ttl: '24h' } as const

function tokensOf(secrets: string[], clock = new FakeClock()) {
  return createTokens({ keyring: createKeyring(secrets), issuer: 'tailwater', clock })
}

test('a token tells whom it was issued for, until it expires', async () => {
  const clock = new FakeClock()
  const tokens = tokensOf([first], clock)
  const { token, id, expiresAt } = await tokens.issue({ ...request, claims: { role: 'owner' } })
  const claims = await tokens.verify(token, { audience: 'merchant' })
  assert.deepEqual(claims, {
    id,
    subject: '7',
    audience: 'merchant',
    issuedAt: clock.now(),
    expiresAt,
    claims: { role: 'owner' },
  })
  await clock.advance(24 * 3_600_000)
  await assert.rejects(tokens.verify(token, { audience: 'merchant' }), { code: 'E_TOKEN_EXPIRED' })
})

test('a token is good for its audience and issuer only', async () => {
  const clock = new FakeClock()
  const tokens = tokensOf([first], clock)
  const { token } = await tokens.issue(request)
  const other = createTokens({ keyring: createKeyring([first]), issuer: 'other', clock })
  await assert.rejects(tokens.verify(token, { audience: 'admin' }), { code: 'E_TOKEN_INVALID' })
  await assert.rejects(other.verify(token, { audience: 'merchant' }), { code: 'E_TOKEN_INVALID' })
})

test('a token survives one rotation of the secret, and ends with the second', async () => {
  const clock = new FakeClock()
  const { token } = await tokensOf([first], clock).issue(request)
  const rotated = tokensOf([second, first], clock)
  assert.equal((await rotated.verify(token, { audience: 'merchant' })).subject, '7')
  await assert.rejects(tokensOf([second], clock).verify(token, { audience: 'merchant' }), { code: 'E_TOKEN_INVALID' })
})

test('unsigned, forged, foreign-algorithm and malformed tokens are refused', async () => {
  const clock = new FakeClock()
  const tokens = tokensOf([first], clock)
  const { token } = await tokens.issue(request)
  const [header, body, signature] = token.split('.') as [string, string, string]
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString())
  const changed = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), sub: '8' }))
  const key = createKeyring([first]).keys('token')[0]
  const claims = { sub: '7', aud: 'merchant', iss: 'tailwater', jti: 'x', iat: 0, exp: 9e9 }
  const forged = [
    new UnsecuredJWT(claims).encode(),
    `${header}.${changed.toString('base64url')}.${signature}`,
    `${Buffer.from(JSON.stringify({ alg: 'none', kid })).toString('base64url')}.${body}.`,
    await new SignJWT(claims).setProtectedHeader({ alg: 'HS512', kid }).sign(Buffer.concat([key, key])),
    await new SignJWT({ aud: 'merchant', iss: 'tailwater' }).setProtectedHeader({ alg: 'HS256', kid }).sign(key),
    `${header}.${body}`,
    'x',
    '',
    'a'.repeat(100_000),
  ]
  for (const bad of forged)
    await assert.rejects(tokens.verify(bad, { audience: 'merchant' }), { code: 'E_TOKEN_INVALID' })
})

test('claims that the issuer sets cannot be given', async () => {
  await assert.rejects(tokensOf([first]).issue({ ...request, claims: { exp: 1 } }), { code: 'E_OPTIONS' })
})

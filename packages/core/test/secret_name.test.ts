import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isSecretName } from '@tailwater/core'

it('what is secret is known by its name, however that is written', () => {
  for (const name of [
    'password',
    'passwordHash',
    'user_pass-phrase',
    'pwd',
    'clientSecret',
    'session_token',
    'API-Key',
  ])
    assert.equal(isSecretName(name), true, name)
  for (const name of ['Authorization', 'set-cookie', 'cardNumber', 'card', 'iban', 'CVV', 'salt', 'privateKey', 'hash'])
    assert.equal(isSecretName(name), true, name)
})

it('a name that only sounds like it is shown', () => {
  for (const name of [
    'name',
    'passenger',
    'postcard',
    'discard',
    'wildcard',
    'compass',
    'key',
    'hashtag',
    'assault',
    'id',
  ])
    assert.equal(isSecretName(name), false, name)
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { environmentExample, readEnvironment, resolveConfig } from 'tailwater'

it('every variable has its default, and an empty one counts as absent', () => {
  const environment = readEnvironment({ PORT: '', DATABASE_URL: '  ' })
  assert.equal(environment.PORT, 3_000)
  assert.equal(environment.HOST, '127.0.0.1')
  assert.equal(environment.DATABASE_URL, undefined)
  assert.equal(environment.TAILWATER_EMBEDDED_IN_PRODUCTION, undefined)
})

const refusals: [title: string, given: Record<string, string>, message: RegExp][] = [
  ['a port that is none', { PORT: '70000' }, /PORT must be a port from 0 to 65535, got '70000'/],
  ['a port with a unit', { PORT: '80px' }, /PORT must be a port/],
  ['a database of another kind', { DATABASE_URL: 'mysql://host/db' }, /DATABASE_URL must be a URL such as postgres:/],
  [
    'a log level that is none',
    { LOG_LEVEL: 'loud' },
    /LOG_LEVEL must be debug, info, warn, error or silent, got 'loud'/,
  ],
  ['a short secret', { TAILWATER_SECRET: 'short' }, /TAILWATER_SECRET must be one secret of at least 32 characters/],
  ['an address that is none', { TAILWATER_ADMIN_EMAIL: 'me' }, /TAILWATER_ADMIN_EMAIL must be an e-mail address/],
  [
    'a proxy that is no network',
    { TRUSTED_PROXIES: '10.0.0.0/8, proxy' },
    /TRUSTED_PROXIES must be addresses or networks/,
  ],
  ['a network with too many bits', { TRUSTED_PROXIES: '10.0.0.0/33' }, /TRUSTED_PROXIES must be/],
  ['a misspelt name of ours', { TAILWATER_ADMIN_PASWORD: 'x' }, /did you mean TAILWATER_ADMIN_PASSWORD\?/],
]
for (const [title, given, message] of refusals)
  it(`refuses ${title}`, () => {
    assert.throws(
      () => readEnvironment(given),
      (error) => hasCode(error, 'E_OPTIONS') && message.test(error.message),
    )
  })

it('never shows a secret that is refused', () => {
  for (const given of [
    { TAILWATER_SECRET: 'hunter2' },
    { DATABASE_URL: 'mysql://u:hunter2@host' },
    { TAILWATER_ADMIN_PASSWORD: 'hunter2' },
  ])
    assert.throws(
      () => readEnvironment(given),
      (error: Error) => !error.message.includes('hunter2'),
    )
})

it('two secrets are read for rotation, the new one first', () => {
  const [a, b] = ['a'.repeat(32), 'b'.repeat(32)]
  assert.deepEqual(readEnvironment({ TAILWATER_SECRET: `${a}, ${b}` }).TAILWATER_SECRET, [a, b])
})

it('the example names every variable, with all of them commented out', () => {
  const lines = environmentExample().split('\n')
  assert.ok(lines.every((line) => line === '' || line.startsWith('#')))
  for (const name of [
    'PORT',
    'HOST',
    'DATABASE_URL',
    'REDIS_URL',
    'AMQP_URL',
    'DATA_DIR',
    'SMTP_URL',
    'LOG_LEVEL',
    'LOG_FORMAT',
    'TAILWATER_SECRET',
  ])
    assert.ok(
      lines.some((line) => line.startsWith(`# ${name}=`)),
      name,
    )
})

it('a configuration is checked field by field and across fields', () => {
  assert.equal(resolveConfig({}).isEmbedded, true)
  assert.equal(resolveConfig({ database: 'postgres://host/db' }).isEmbedded, false)
  assert.throws(() => resolveConfig({ databse: 'x' } as never), /did you mean 'database'/)
  assert.throws(
    () => resolveConfig({ database: { url: 'postgres://host/db', min: 20, max: 10 } }),
    /config\.database\.max must be at least/,
  )
  assert.throws(() => resolveConfig({ dashboardPath: 'admin' }), /config\.dashboardPath must be a path such as/)
})

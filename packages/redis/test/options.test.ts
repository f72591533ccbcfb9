import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { resolveRedisOptions } from '../src/index.ts'

describe('the options of a connection to Redis', () => {
  it('are those of a local server by default', () => {
    const { host, port, database, prefix, tls, commandTimeout } = resolveRedisOptions()
    assert.deepEqual(
      { host, port, database, prefix, tls, commandTimeout },
      { host: '127.0.0.1', port: 6379, database: 0, prefix: 'tailwater', tls: false, commandTimeout: 2_000 },
    )
  })

  it('are read from a URL', () => {
    const { host, port, username, password, database, tls } = resolveRedisOptions({
      url: 'rediss://app:p%40ss@redis.example:6380/3',
    })
    assert.deepEqual(
      { host, port, username, password, database, tls },
      { host: 'redis.example', port: 6380, username: 'app', password: 'p@ss', database: 3, tls: true },
    )
    assert.equal(resolveRedisOptions({ url: 'redis://[::1]' }).host, '::1')
  })

  it('said beside the URL win over it', () => {
    const { password, tls } = resolveRedisOptions({
      url: 'rediss://:old@redis.example',
      password: 'new',
      tls: { servername: 'x' },
    })
    assert.deepEqual([password, tls], ['new', { servername: 'x' }])
  })

  it('are refused by name when they are wrong', () => {
    const wrong: [options: object, message: RegExp][] = [
      [{ url: 'http://x' }, /redis\.url must be an address/],
      [{ url: 'redis://x/nine' }, /number of a database/],
      [{ url: 'redis://x', host: 'y' }, /only one of/],
      [{ cluster: { nodes: [{ host: 'x', port: 1 }] }, database: 1 }, /redis\.database must be 0 in a cluster/],
      [{ cluster: { nodes: [] } }, /redis\.cluster\.nodes must be a list/],
      [{ sentinel: { nodes: [{ host: 'x', port: 1 }] } }, /redis\.sentinel\.master/],
      [{ prefix: 'a{b}' }, /redis\.prefix/],
      [{ reconnect: { min: 10, max: 5 } }, /redis\.reconnect\.min/],
      [{ comandTimeout: 1 }, /did you mean 'commandTimeout'/],
    ]
    for (const [options, message] of wrong)
      assert.throws(
        () => resolveRedisOptions(options),
        (error: Error & { code?: string }) => error.code === 'E_OPTIONS' && message.test(error.message),
      )
  })

  it('never show a password in an error', () => {
    assert.throws(
      () => resolveRedisOptions({ url: 'redis://app:secret@x/nine' }),
      (error: Error) => !error.message.includes('secret'),
    )
  })
})

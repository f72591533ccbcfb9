import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createDatabase, type DatabaseOptions, resolveDatabaseOptions } from '@tailwater/postgres'

const URL = 'postgres://app:hunter2@db.example:6432/shop'

function refusal(options: unknown): { code: string; message: string } {
  try {
    resolveDatabaseOptions(options as DatabaseOptions)
  } catch (error) {
    return error as { code: string; message: string }
  }
  return assert.fail('the options were accepted')
}

describe('the options of a database', () => {
  it('have defaults', () => {
    const { min, max, budget, acquireTimeout, statementTimeout, transactionTimeout, pooled, name } =
      resolveDatabaseOptions({ url: URL })
    assert.deepEqual(
      { min, max, budget, acquireTimeout, statementTimeout, transactionTimeout, pooled, name },
      {
        min: 10,
        max: 100,
        budget: 110,
        acquireTimeout: 5_000,
        statementTimeout: 30_000,
        transactionTimeout: 60_000,
        pooled: false,
        name: 'database',
      },
    )
  })

  it('take a url apart', () => {
    const { primary } = resolveDatabaseOptions({ url: URL })
    assert.equal(primary?.where, 'db.example:6432')
    assert.equal(primary?.user, 'app')
    assert.equal(primary?.database, 'shop')
    assert.equal(primary?.password, 'hunter2')
    assert.equal(resolveDatabaseOptions({ url: 'postgres:///shop?host=/run/pg' }).primary?.where, '/run/pg')
  })

  it('prefer a password of their own to that of the url', () => {
    const password = () => 'fresh'
    assert.equal(resolveDatabaseOptions({ url: URL, password }).primary?.password, password)
  })

  it('divide a budget over pools and sessions', () => {
    const { max, min, budget } = resolveDatabaseOptions({ url: URL, budget: 20 })
    assert.deepEqual({ max, min, budget }, { max: 18, min: 10, budget: 20 })
    assert.equal(resolveDatabaseOptions({ url: URL, replicaUrl: [URL, URL], budget: 20 }).max, 6)
    assert.equal(resolveDatabaseOptions({ url: URL, budget: 500 }).max, 100)
  })

  it('lower the connections kept warm to the maximum', () => {
    assert.equal(resolveDatabaseOptions({ url: URL, max: 4 }).min, 4)
  })

  for (const [title, options, message] of [
    ['neither a url nor a pool', {}, /either url or pool/],
    ['a url of another kind', { url: 'mysql://root:hunter2@h/db' }, /url must be a PostgreSQL URL/],
    ['a url that is none', { url: 'postgres://app:hunter2@h:99999/db' }, /url must be a PostgreSQL URL/],
    ['a broken replica', { url: URL, replicaUrl: ['hunter2'] }, /replicaUrl must be a PostgreSQL URL/],
    ['min above max', { url: URL, min: 5, max: 4 }, /min must be at most max \(4\), got 5/],
    ['a budget without room for a session', { url: URL, max: 10, budget: 10 }, /budget must be more than 10/],
    ['a role through a pooler', { url: URL, pooler: 'transaction', role: 'app' }, /log in as that role/],
    ['a misspelt name', { url: URL, replicaUrls: [] }, /did you mean 'replicaUrl'/],
    ['a pool that is none', { pool: {} }, /pool must be a pg Pool/],
  ] as const) {
    it(`refuse ${title}, without a word of secrets`, () => {
      const error = refusal(options)
      assert.equal(error.code, 'E_OPTIONS')
      assert.match(error.message, message)
      assert.doesNotMatch(JSON.stringify(error) + error.message, /hunter2/)
    })
  }

  it('are checked when a database is made, before anything is opened', () => {
    assert.throws(() => createDatabase({ url: 'nonsense' }), { code: 'E_OPTIONS' })
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { backgroundError, hasCode, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import {
  createMemoryRateStore,
  type Exchange,
  type HttpProblem,
  type Middleware,
  type RateDecision,
  rateLimit,
  rateLimits,
} from '../src/index.ts'
import { type ExchangeParts, exchangeOf } from './exchange_fixture.ts'

/** The status of a request, and its headers as sent. */
async function ask(step: Middleware, parts: ExchangeParts | Exchange = {}) {
  const exchange = 'state' in parts ? parts : exchangeOf(parts)
  try {
    await step.before!(exchange)
    return { status: 200, headers: exchange.replyHeaders }
  } catch (error) {
    assert.ok(hasCode(error, 'E_RATE_LIMITED'))
    const { status, headers, message } = error as HttpProblem
    return { status, headers: { ...exchange.replyHeaders, ...headers }, message }
  }
}

async function admittedOf(step: Middleware, requests: number, parts?: ExchangeParts): Promise<number> {
  let admitted = 0
  for (let i = 0; i < requests; i++) if ((await ask(step, parts)).status === 200) admitted++
  return admitted
}

describe('a rate limit', () => {
  it('admits its burst, refuses the next with the time to wait, and admits again after it', async () => {
    const clock = new FakeClock()
    const step = rateLimit({ name: 'search', limit: 6, per: '1m', burst: 3, clock })
    assert.equal(await admittedOf(step, 10), 3)
    const refused = await ask(step)
    assert.equal(refused.status, 429)
    assert.equal(refused.headers['retry-after'], '10')
    await clock.advance(10_000)
    assert.equal(await admittedOf(step, 10), 1)
  })

  it('says what is allowed and what is left, as structured fields', async () => {
    const step = rateLimit({ name: 'search', limit: 6, per: '1m', clock: new FakeClock() })
    await ask(step)
    const { headers } = await ask(step)
    assert.equal(headers['ratelimit-policy'], '"search";q=6;w=60')
    assert.equal(headers['ratelimit'], '"search";r=4;t=10')
  })

  it('names a burst that is not the limit', async () => {
    const { headers } = await ask(rateLimits.api({ clock: new FakeClock() }))
    assert.equal(headers['ratelimit-policy'], '"api";q=100;w=1;tailwater-burst=50')
    assert.equal(headers['ratelimit'], '"api";r=49;t=1')
  })

  it('lists several policies on one reply', async () => {
    const clock = new FakeClock()
    const exchange = exchangeOf()
    await ask(rateLimit({ name: 'burst', limit: 5, per: '1s', clock }), exchange)
    await ask(rateLimit({ name: 'daily', limit: 1_000, per: '1d', clock }), exchange)
    assert.equal(exchange.replyHeaders['ratelimit-policy'], '"burst";q=5;w=1, "daily";q=1000;w=86400')
  })

  it('counts each client by itself, and a whole IPv6 network as one', async () => {
    const step = rateLimit({ name: 'search', limit: 2, per: '1m', clock: new FakeClock() })
    assert.equal(await admittedOf(step, 5, { address: '203.0.113.1' }), 2)
    assert.equal(await admittedOf(step, 5, { address: '203.0.113.2' }), 2)
    let admitted = 0
    for (let host = 1; host <= 50; host++) admitted += await admittedOf(step, 1, { address: `2001:db8:0:1::${host}` })
    assert.equal(admitted, 2)
  })

  it('does not count what is skipped, has no key, or costs nothing', async () => {
    const clock = new FakeClock()
    const shared = { name: 'search', limit: 1, per: '1m' as const, clock }
    assert.equal(await admittedOf(rateLimit({ ...shared, skip: () => true }), 5), 5)
    assert.equal(await admittedOf(rateLimit({ ...shared, key: () => undefined }), 5), 5)
    assert.equal(await admittedOf(rateLimit({ ...shared, cost: 0 }), 5), 5)
  })

  it('charges a costly request more', async () => {
    const step = rateLimit({
      name: 'export',
      limit: 10,
      per: '1m',
      cost: ({ path }) => (path === '/export' ? 5 : 1),
      clock: new FakeClock(),
    })
    assert.equal(await admittedOf(step, 5, { path: '/export' }), 2)
    assert.equal(await admittedOf(step, 5, { path: '/list' }), 0)
  })

  it('tells a request beyond the whole burst to ask for less', async () => {
    const refused = await ask(rateLimit({ name: 'export', limit: 10, per: '1m', cost: 11, clock: new FakeClock() }))
    assert.equal(refused.status, 429)
    assert.equal(refused.headers['retry-after'], undefined)
    assert.match(refused.message!, /at most 10 at once/)
  })

  it('admits and reports while its store is away', async () => {
    const reported: string[] = []
    const end = listen(backgroundError, ({ source, error }) => reported.push(`${source}: ${error.message}`))
    const away = () => Promise.reject(new Error('connection refused'))
    const thrown = () => {
      throw new Error('broken')
    }
    for (const take of [away, thrown])
      assert.equal((await ask(rateLimit({ name: 'x', limit: 1, per: '1m', store: { take } }))).status, 200)
    end()
    assert.deepEqual(reported, ['rate-limit: connection refused', 'rate-limit: broken'])
  })

  it('refuses wrong options by name', () => {
    assert.throws(() => rateLimit({ name: 'a b', limit: 1, per: '1m' }), { code: 'E_OPTIONS' })
    assert.throws(() => rateLimit({ name: 'a', limit: 0, per: '1m' }), { code: 'E_OPTIONS' })
    assert.throws(() => rateLimit({ name: 'a', limit: 1, per: '1m', brust: 3 } as never), /did you mean 'burst'/)
  })
})

describe('the memory of budgets', () => {
  const rate = { limit: 5, period: 60_000, burst: 5 }

  it('holds a bounded number of clients in an attack from very many', () => {
    const store = createMemoryRateStore({ maxKeys: 1_000, clock: new FakeClock() })
    for (let client = 0; client < 50_000; client++) void store.take(`client-${client}`, rate, 1)
    assert.equal(store.size, 1_000)
  })

  it('gives a client that goes on asking through the attack no second budget', () => {
    const store = createMemoryRateStore({ maxKeys: 1_000, clock: new FakeClock() })
    let admitted = 0
    for (let client = 0; client < 50_000; client++) {
      void store.take(`client-${client}`, rate, 1)
      if (client % 500 === 0 && (store.take('persistent', rate, 1) as RateDecision).admitted) admitted++
    }
    assert.equal(admitted, rate.burst)
  })

  it('lets go of clients whose time is over', async () => {
    const clock = new FakeClock()
    const store = createMemoryRateStore({ clock })
    for (let client = 0; client < 100; client++) void store.take(`client-${client}`, rate, 1)
    await clock.advance(60_000)
    for (let i = 0; i < 100; i++) void store.take('other', rate, 0)
    assert.equal(store.size, 0)
  })

  it('is not filled by keys of a length that the client chose', async () => {
    const keys: string[] = []
    const store = {
      take(key: string) {
        keys.push(key)
        return { admitted: true, remaining: 1, nextAfter: 0, retryAfter: 0 }
      },
    }
    await ask(rateLimit({ name: 'x', limit: 1, per: '1m', store, key: () => 'k'.repeat(100_000) }))
    assert.ok(keys[0]!.length < 100)
  })
})

describe('the presets', () => {
  const signedIn = { headers: { 'x-session': 's1' } }
  const session = (exchange: Exchange) => exchange.headers['x-session'] as string | undefined

  it('admit 50 admin reads in 15 minutes per client, beside the own budget of a signed-in session', async () => {
    const clock = new FakeClock()
    const step = rateLimits.adminReads({ clock, session })
    assert.equal(await admittedOf(step, 100), 50)
    assert.equal(await admittedOf(step, 100, signedIn), 100)
    assert.equal(await admittedOf(step, 1), 0)
    await clock.advance(15 * 60_000)
    assert.equal(await admittedOf(step, 100), 50)
  })

  it('do not let one session use up the budget of another behind the same address', async () => {
    const step = rateLimits.adminReads({ clock: new FakeClock(), session })
    assert.equal(await admittedOf(step, 4_000, signedIn), 3_000)
    assert.equal(await admittedOf(step, 10, { headers: { 'x-session': 's2' } }), 10)
  })

  it('admit 200 queue operations in 15 minutes', async () => {
    assert.equal(await admittedOf(rateLimits.queueOperations({ clock: new FakeClock(), session }), 300, signedIn), 200)
  })

  it('admit 5 log-ins a minute per address, whatever session is claimed', async () => {
    const clock = new FakeClock()
    const step = rateLimits.login({ clock, session })
    let admitted = 0
    for (let i = 0; i < 20; i++) admitted += await admittedOf(step, 1, { headers: { 'x-session': `s${i}` } })
    assert.equal(admitted, 5)
    await clock.advance(12_000)
    assert.equal(await admittedOf(step, 5), 1)
  })

  it('admit 100 API requests a second with bursts of 50', async () => {
    const clock = new FakeClock()
    const step = rateLimits.api({ clock })
    assert.equal(await admittedOf(step, 80), 50)
    let admitted = 0
    for (let tick = 0; tick < 100; tick++) {
      await clock.advance(10)
      admitted += await admittedOf(step, 2)
    }
    assert.equal(admitted, 100)
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listen, notice } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createEventLoopProbe, type EventLoopReading, type OverloadOptions, overload } from '../src/index.ts'
import { exchangeOf } from './exchange_fixture.ts'

const CALM = { delay: 5, utilisation: 0.4 }
const LATE = { delay: 900, utilisation: 0.5 }

function watched(options: OverloadOptions = {}) {
  const clock = new FakeClock()
  let current: EventLoopReading = CALM
  let chance = 0
  const step = overload({ clock, probe: { read: () => current, close() {} }, random: () => chance, ...options })
  const ask = async (path = '/products') => (await step.before!(exchangeOf({ path })))?.status ?? 200
  return {
    step,
    ask,
    clock,
    /** Lets windows pass in which the loop reads so; one request each. */
    async windows(count: number, reading: EventLoopReading) {
      await ask()
      current = reading
      for (let i = 0; i < count; i++) {
        await clock.advance(1_000)
        await ask()
      }
    },
    lucky: (value: number) => {
      chance = value
    },
  }
}

describe('overload protection', () => {
  it('admits everything while the loop is on time', async () => {
    const { windows, step, ask } = watched()
    await windows(10, CALM)
    assert.equal(step.state().refusing, 0)
    assert.equal(await ask(), 200)
  })

  it('takes no notice of a single late window', async () => {
    const { windows, step } = watched()
    await windows(1, LATE)
    await windows(1, CALM)
    await windows(1, LATE)
    assert.equal(step.state().refusing, 0)
  })

  it('refuses a growing share while the loop stays late, with the time to wait', async () => {
    const { windows, step, ask, lucky } = watched()
    await windows(2, LATE)
    assert.equal(step.state().refusing, 0.25)
    assert.equal(await ask(), 503)
    lucky(0.25)
    assert.equal(await ask(), 200)
    await windows(3, LATE)
    assert.equal(step.state().refusing, 1)
    lucky(0.999)
    const reply = await step.before!(exchangeOf())
    assert.equal(reply?.headers['retry-after'], '2')
    assert.equal(JSON.parse(reply?.body as string).code, 'E_OVERLOADED')
  })

  it('takes a busy loop for overloaded only if it is late as well', async () => {
    const busy = watched()
    await busy.windows(5, { delay: 200, utilisation: 1 })
    assert.equal(busy.step.state().refusing, 0)
    const late = watched()
    await late.windows(5, { delay: 300, utilisation: 1 })
    assert.equal(late.step.state().refusing, 1)
    const idle = watched()
    await idle.windows(5, { delay: 300, utilisation: 0.5 })
    assert.equal(idle.step.state().refusing, 0)
  })

  it('admits again step by step, and holds what it has between the thresholds', async () => {
    const { windows, step } = watched()
    await windows(5, LATE)
    await windows(3, { delay: 300, utilisation: 0.5 })
    assert.equal(step.state().refusing, 1)
    await windows(2, CALM)
    assert.equal(step.state().refusing, 0.75)
    await windows(6, CALM)
    assert.equal(step.state().refusing, 0)
  })

  it('does not flap: with a loop that is late whenever everybody is admitted it settles on a share', async () => {
    const { windows, step } = watched()
    const shares: number[] = []
    for (let i = 0; i < 100; i++) {
      // Overloaded by what is beyond 60 % of the load.
      await windows(1, step.state().refusing < 0.4 ? LATE : { delay: 300, utilisation: 0.9 })
      shares.push(step.state().refusing)
    }
    assert.deepEqual(new Set(shares.slice(10)), new Set([0.5]))
  })

  it('forgets an overload that nobody has asked about for long', async () => {
    const { windows, step, clock, ask } = watched()
    await windows(5, LATE)
    await windows(0, CALM)
    await clock.advance(3_600_000)
    await ask()
    assert.equal(step.state().refusing, 0)
  })

  it('always answers health, metrics and the dashboard', async () => {
    const { windows, ask } = watched()
    await windows(5, LATE)
    assert.deepEqual(
      await Promise.all(['/health/live', '/health', '/metrics', '/tailwater/api/queues'].map(ask)),
      [200, 200, 200, 200],
    )
    assert.deepEqual(await Promise.all(['/healthy', '/tailwater2', '/api/health'].map(ask)), [503, 503, 503])
  })

  it('tells operators when it begins and when it ends', async () => {
    const told: string[] = []
    const end = listen(notice, ({ level, message }) => told.push(`${level}: ${message}`))
    const { windows } = watched()
    await windows(5, LATE)
    await windows(20, CALM)
    end()
    assert.deepEqual(told, [
      'warn: the event loop is overloaded: refusing a share of the requests',
      'info: the event loop has recovered: admitting all requests',
    ])
  })
})

describe('the probe of the event loop', () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  /** Runs for so long without giving the loop a turn. */
  const block = (ms: number) => {
    const until = performance.now() + ms
    while (performance.now() < until);
  }

  it('sees a loop that is blocked', async () => {
    const probe = createEventLoopProbe()
    probe.read()
    // The first turn arms the histogram's timer, which then finds itself late.
    for (let i = 0; i < 3; i++) {
      await turn()
      block(150)
    }
    await turn()
    const { delay, utilisation } = probe.read()
    probe.close()
    assert.ok(delay > 100, `delay of ${delay} ms`)
    assert.ok(utilisation > 0.9, `utilisation of ${utilisation}`)
  })

  it('makes the protection refuse requests of a process that is really too busy', async () => {
    const clock = { now: () => Date.now(), elapsed: () => performance.now(), after: () => () => {} }
    const step = overload({ clock, window: 100, maxDelay: 50, random: () => 0 })
    const ask = async () => (await step.before!(exchangeOf()))?.status ?? 200
    await ask()
    const statuses: number[] = []
    for (let i = 0; i < 20 && statuses.at(-1) !== 503; i++) {
      await turn()
      block(200)
      statuses.push(await ask())
    }
    step.close()
    assert.equal(statuses.at(-1), 503)
  })
})

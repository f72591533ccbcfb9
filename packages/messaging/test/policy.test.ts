import assert from 'node:assert/strict'
import { afterEach, beforeEach, it } from 'node:test'
import { messageBreaker, messageConsumer } from '@tailwater/core'
import type { FakeClock } from '@tailwater/core/testing'
import { type Messaging, PermanentMessageError } from '../src/index.ts'
import { Collected, inMemory, nextEvent } from './ground.ts'

let messaging: Messaging
let clock: FakeClock
beforeEach(async () => {
  ;({ messaging, clock } = inMemory())
  await messaging.start()
})
afterEach(() => messaging.stop())

const fail = () => Promise.reject(new Error('down'))

it('a call that takes too long is given up, and told to stop', async () => {
  const policy = messaging.policy('provider', { timeout: '1s' })
  let told: AbortSignal | undefined
  const failed = assert.rejects(
    policy.execute((signal) => {
      told = signal
      return new Promise(() => {})
    }),
    { code: 'E_MESSAGE_TIMEOUT' },
  )
  await clock.advance(1_000)
  await failed
  assert.equal(told!.aborted, true)
})

it('a call is made again after its waits, and no more often than said', async () => {
  const policy = messaging.policy('provider', {
    retry: { attempts: 3, backoff: { type: 'fixed', delay: '1s', jitter: 0 } },
  })
  let calls = 0
  const failed = assert.rejects(
    policy.execute(() => {
      calls++
      return fail()
    }),
    /down/,
  )
  await clock.advance(1_000)
  await clock.advance(1_000)
  await failed
  assert.equal(calls, 3)
})

it('what the caller did wrong is not tried again', async () => {
  const policy = messaging.policy('provider', { retry: { attempts: 3 }, breaker: { failures: 1 } })
  let calls = 0
  await assert.rejects(
    policy.execute(() => {
      calls++
      throw new PermanentMessageError('no such order')
    }),
    { code: 'E_MESSAGE_PERMANENT' },
  )
  assert.deepEqual([calls, policy.state.breaker], [1, 'closed'])
})

it('no more calls run at once than may, and no more wait', async () => {
  const policy = messaging.policy('provider', { bulkhead: { limit: 1, queue: 1 } })
  const releases = new Collected<() => void>()
  const call = () => policy.execute(() => new Promise<void>((resolve) => releases.put(resolve)))
  const [first, second] = [call(), call()]
  await releases.until(1)
  await assert.rejects(call(), { code: 'E_MESSAGE_BLOCKED' })
  assert.deepEqual([policy.state.running, policy.state.waiting], [1, 1])
  releases.all[0]!()
  await first
  ;(await releases.until(2))[1]!()
  await second
})

it('a breaker opens, lets nobody through, tries, and closes; its states are events', async () => {
  const policy = messaging.policy('provider', { breaker: { failures: 2, halfOpenAfter: '10s' } })
  const states = new Collected<string>()
  policy.onBreaker(states.put)
  const opened = nextEvent(messageBreaker)
  for (let time = 0; time < 2; time++) await assert.rejects(policy.execute(fail), /down/)
  assert.deepEqual([(await opened).state, (await opened).policy], ['open', 'provider'])
  await assert.rejects(policy.execute(fail), { code: 'E_MESSAGE_BREAKER_OPEN' })
  await clock.advance(10_000)
  assert.equal(policy.state.breaker, 'half-open')
  await assert.rejects(policy.execute(fail), /down/)
  assert.equal(policy.state.breaker, 'open')
  await clock.advance(10_000)
  const trying = policy.execute(() => new Promise((resolve) => setImmediate(resolve)))
  await assert.rejects(policy.execute(fail), { code: 'E_MESSAGE_BREAKER_OPEN' })
  await trying
  assert.deepEqual(states.all, ['open', 'half-open', 'open', 'half-open', 'closed'])
  assert.deepEqual(messaging.status.policies, [{ name: 'provider', breaker: 'closed', running: 0, waiting: 0 }])
})

it('a subscription pauses when its breaker opens, counts no attempt, and resumes by itself', async () => {
  const policy = messaging.policy('provider', { breaker: { failures: 2, halfOpenAfter: '10s' } })
  const orders = messaging.exchange('orders')
  let isDown = true
  const attempts = new Collected<number>()
  const done = new Collected<unknown>()
  const backoff = { type: 'fixed', delay: '1s', jitter: 0 } as const
  const subscription = orders.subscribe(
    'billing',
    '#',
    async ({ body, attempt }) => {
      attempts.put(attempt)
      await policy.execute(() => (isDown ? fail() : undefined))
      done.put(body)
    },
    { concurrency: 3, breaker: 'provider', backoff },
  )
  const paused = nextEvent(messageConsumer, ({ change }) => change === 'paused')
  await orders.publishMany(Array.from({ length: 6 }, (_, body) => ({ topic: 'a', body })))
  assert.equal((await paused).cause, 'breaker')
  assert.deepEqual(subscription.status.pausedBy, ['breaker'])
  isDown = false
  const resumed = nextEvent(messageConsumer, ({ change }) => change === 'resumed')
  await clock.advance(10_000)
  await resumed
  const all = await done.until(6)
  assert.deepEqual([...all].sort(), [0, 1, 2, 3, 4, 5])
  assert.equal(subscription.status.concurrency, 3)
  assert.ok(Math.max(...attempts.all) <= 2, 'what an open breaker stopped was not counted')
})

it('a policy is described wholly, and once', () => {
  messaging.policy('provider', {})
  assert.throws(() => messaging.policy('provider', {}), { code: 'E_MESSAGE_NAME' })
  assert.throws(() => messaging.policy('other', { breaker: {} as never }), { code: 'E_OPTIONS' })
  assert.throws(() => messaging.policy('other', { timout: 1 } as never), /did you mean 'timeout'/)
})

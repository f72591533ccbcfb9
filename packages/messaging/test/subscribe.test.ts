import assert from 'node:assert/strict'
import { afterEach, beforeEach, it } from 'node:test'
import { currentContext, type MessageHandledEvent, messageConsumer, messageDead, messageHandled } from '@tailwater/core'
import { type FakeClock, stressLifecycle } from '@tailwater/core/testing'
import { type Messaging, PermanentMessageError, type ReceivedMessage } from '../src/index.ts'
import { Collected, doubling, inMemory, nextEvent } from './ground.ts'

let messaging: Messaging
let clock: FakeClock
beforeEach(async () => {
  ;({ messaging, clock } = inMemory())
  await messaging.start()
})
afterEach(() => messaging.stop())

const handled = (outcome: MessageHandledEvent['outcome']) =>
  nextEvent(messageHandled, (event) => event.outcome === outcome)

it('a failed message is tried again after its backoff, and then is dead with its history', async () => {
  const orders = messaging.exchange('orders')
  const seen = new Collected<ReceivedMessage>()
  const backoff = { type: 'fixed', delay: '10s', jitter: 0 } as const
  orders.subscribe(
    'billing',
    '#',
    (message) => {
      seen.put(message)
      throw Object.assign(new Error(`no ${message.attempt}`), { code: 'E_NO' })
    },
    { attempts: 3, backoff },
  )
  const died = nextEvent(messageDead)
  let retried = handled('retry')
  await orders.publish('order.placed', { n: 1 })
  for (const attempt of [1, 2]) {
    await retried
    assert.equal(seen.all.length, attempt)
    retried = handled('retry')
    await clock.advance(10_000)
  }
  const dead = await died
  assert.deepEqual([dead.subscription, dead.reason, dead.error?.message], ['billing', 'attempts', 'no 3'])
  assert.deepEqual(
    seen.all.map(({ attempt, maxAttempts, notes }) => [attempt, maxAttempts, notes.length]),
    [
      [1, 3, 0],
      [2, 3, 1],
      [3, 3, 2],
    ],
  )
  const { letters } = await messaging.deadLetters.list('billing')
  assert.deepEqual(
    letters[0]!.notes.map(({ error, code }) => [error, code]),
    [
      ['no 1', 'E_NO'],
      ['no 2', 'E_NO'],
      ['no 3', 'E_NO'],
    ],
  )
  assert.match(letters[0]!.notes[2]!.stack!, /subscribe\.test/)
})

it('a message of many attempts is tried as often, though not all its notes travel along', async () => {
  const orders = messaging.exchange('orders')
  let count = 0
  orders.subscribe(
    'billing',
    '#',
    () => {
      count++
      throw new Error('no')
    },
    { attempts: 30, backoff: { type: 'fixed', delay: 0 } },
  )
  const dead = nextEvent(messageDead)
  await orders.publish('a', 1)
  assert.equal((await dead).reason, 'attempts')
  assert.equal(count, 30)
  const [letter] = (await messaging.deadLetters.list('billing')).letters
  assert.equal(letter!.notes.at(-1)!.attempt, 30)
})

it('a retry does not hold up what comes behind it', async () => {
  const orders = messaging.exchange('orders')
  const done = new Collected<unknown>()
  orders.subscribe(
    'billing',
    '#',
    ({ body, attempt }) => {
      if (body === 1 && attempt === 1) throw new Error('later')
      done.put(body)
    },
    { concurrency: 1 },
  )
  await orders.publishMany([1, 2, 3].map((body) => ({ topic: 'a', body })))
  assert.deepEqual(await done.until(2), [2, 3])
  await clock.advance(2_000)
  assert.deepEqual(await done.until(3), [2, 3, 1])
})

it('a permanent error makes a dead letter at once', async () => {
  const orders = messaging.exchange('orders')
  orders.subscribe('billing', '#', () => {
    throw new PermanentMessageError('gone')
  })
  const dead = nextEvent(messageDead)
  await orders.publish('a', 1)
  assert.equal((await dead).reason, 'permanent')
})

it('a body that does not fit on arrival is a dead letter, and the consumer goes on', async () => {
  const orders = messaging.exchange('orders', { topics: { 'order.placed': doubling } })
  const bodies = new Collected<unknown>()
  orders.subscribe('billing', '#', ({ body }) => bodies.put(body), { concurrency: 1 })
  await orders.publish('order.placed', { n: 1 })
  await bodies.until(1)
  const dead = nextEvent(messageDead)
  const base = { id: 'raw-1', exchange: 'orders', topic: 'order.placed', headers: {}, level: 'normal' as const }
  const said = { contentType: 'application/json', publishedAt: clock.now() }
  await messaging.backend.publish.send([{ message: { ...base, ...said, body: '{"n":"text"}' } }])
  assert.equal((await dead).reason, 'invalid')
  const broken = nextEvent(messageDead)
  await messaging.backend.publish.send([{ message: { ...base, ...said, id: 'raw-2', body: '{"n":' } }])
  assert.equal((await broken).reason, 'invalid')
  await orders.publish('order.placed', { n: 2 })
  assert.equal((await bodies.until(2)).length, 2)
  const { letters } = await messaging.deadLetters.list('billing')
  assert.ok(letters.every(({ notes }) => notes[0]?.code === 'E_MESSAGE_BODY'))
})

it('a foreign message works if it can be read, and is a dead letter if it cannot', async () => {
  const orders = messaging.exchange('orders')
  const bodies = new Collected<unknown>()
  orders.subscribe('billing', '#', ({ body }) => bodies.put(body))
  await orders.publish('warm', 0)
  const foreign = { exchange: 'orders', topic: 'a', headers: {}, level: 'normal' as const, publishedAt: undefined }
  const dead = nextEvent(messageDead)
  await messaging.backend.publish.send([
    { message: { ...foreign, id: 'f-1', contentType: '', body: '{"works":true}' } },
    { message: { ...foreign, id: 'f-2', contentType: '', body: 'not json' } },
  ])
  assert.deepEqual((await bodies.until(2))[1], { works: true })
  assert.equal((await dead).reason, 'foreign')
})

it('a handler that never settles fails its attempt, and the consumer goes on', async () => {
  const orders = messaging.exchange('orders')
  const seen = new Collected<ReceivedMessage>()
  orders.subscribe(
    'billing',
    '#',
    (message) => {
      seen.put(message)
      return message.topic === 'stuck' ? new Promise(() => {}) : undefined
    },
    { concurrency: 1, timeout: '10s', attempts: 1 },
  )
  await orders.publish('stuck', 1)
  await orders.publish('next', 2)
  const [stuck] = await seen.until(1)
  const { signal } = stuck!
  const dead = nextEvent(messageDead)
  await clock.advance(10_000)
  assert.equal((signal.reason as { code?: string }).code, 'E_MESSAGE_TIMEOUT')
  await clock.advance(5_000)
  assert.equal(((await dead).error as { code?: string }).code, 'E_MESSAGE_TIMEOUT')
  assert.equal((await seen.until(2))[1]!.topic, 'next')
})

it('a handler that stops when its time is over is tried again with that as its reason', async () => {
  const orders = messaging.exchange('orders')
  orders.subscribe(
    'billing',
    '#',
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new Error('stopped')))
      }),
    { timeout: '10s' },
  )
  await orders.publish('a', 1)
  const retried = handled('retry')
  await clock.advance(10_000)
  assert.equal(((await retried).error as { code?: string }).code, 'E_MESSAGE_TIMEOUT')
})

it('no more handlers run at once than may', async () => {
  const orders = messaging.exchange('orders')
  const releases = new Collected<() => void>()
  const subscription = orders.subscribe('billing', '#', () => new Promise<void>((resolve) => releases.put(resolve)), {
    concurrency: 2,
    prefetch: 5,
  })
  await orders.publishMany(Array.from({ length: 8 }, (_, body) => ({ topic: 'a', body })))
  await releases.until(2)
  assert.deepEqual([subscription.status.running, subscription.status.held], [2, 3])
  for (let at = 0; at < 8; at++) (await releases.until(at + 1))[at]!()
})

it('a paused subscription gives back what waits, takes nothing, and goes on when it is resumed', async () => {
  const orders = messaging.exchange('orders')
  const done = new Collected<unknown>()
  const subscription = orders.subscribe('billing', '#', ({ body }) => done.put(body))
  await orders.publish('a', 1)
  await done.until(1)
  const paused = nextEvent(messageConsumer)
  await subscription.pause()
  assert.deepEqual([(await paused).change, subscription.status.pausedBy], ['paused', ['caller']])
  await orders.publish('a', 2)
  assert.equal(await messaging.inspect.waiting('billing'), 1)
  await subscription.resume()
  assert.deepEqual(await done.until(2), [1, 2])
})

it('a message that expired in its queue is dropped, and one that was tried before leaves a trace', async () => {
  const orders = messaging.exchange('orders')
  const subscription = orders.subscribe(
    'billing',
    '#',
    () => {
      throw new Error('no')
    },
    { backoff: { type: 'fixed', delay: '1m', jitter: 0 } },
  )
  const retried = handled('retry')
  await orders.publish('tried', 1, { ttl: '30s' })
  await retried
  await subscription.pause()
  await orders.publish('untried', 2, { ttl: '30s' })
  const outcomes = new Collected<string>()
  const expired = handled('expired')
  const dead = nextEvent(messageDead)
  await clock.advance(61_000)
  await subscription.resume()
  outcomes.put((await expired).topic)
  outcomes.put((await dead).reason)
  assert.deepEqual(outcomes.all, ['untried', 'expired'])
})

it('handlers run in the context of the publisher, and of the message where there was none', async () => {
  const orders = messaging.exchange('orders')
  const contexts = new Collected<string | undefined>()
  orders.subscribe('billing', '#', () => contexts.put(currentContext()?.requestId))
  const id = await orders.publish('a', 1)
  assert.deepEqual(await contexts.until(1), [id])
})

it('dead letters are put back, one edited, and purged', async () => {
  const orders = messaging.exchange('orders')
  const done = new Collected<unknown>()
  orders.subscribe('billing', '#', ({ body }) => {
    if ((body as { bad?: boolean }).bad) throw new PermanentMessageError('bad')
    done.put(body)
  })
  const dead = nextEvent(messageDead)
  await orders.publish('a', { bad: true })
  await dead
  const [letter] = (await messaging.deadLetters.list('billing')).letters
  assert.equal(await messaging.deadLetters.redriveEdited('billing', letter!.id, { body: { bad: false } }), true)
  assert.deepEqual(await done.until(1), [{ bad: false }])
  const again = nextEvent(messageDead)
  await orders.publish('a', { bad: true })
  await again
  assert.equal(await messaging.deadLetters.purge('billing'), 1)
  assert.equal(await messaging.deadLetters.count('billing'), 0)
})

it('one name is one subscription of a process', () => {
  const orders = messaging.exchange('orders')
  orders.subscribe('billing', '#', () => {})
  assert.throws(() => orders.subscribe('billing', 'a', () => {}), { code: 'E_MESSAGE_NAME' })
})

it('a process that stops lets its handlers finish', async () => {
  const orders = messaging.exchange('orders')
  const releases = new Collected<() => void>()
  orders.subscribe('billing', '#', () => new Promise<void>((resolve) => releases.put(resolve)))
  await orders.publish('a', 1)
  await releases.until(1)
  const done = handled('done')
  const stopping = messaging.stop()
  releases.all[0]!()
  await Promise.all([stopping, done])
})

it('a process that must stop tells its handlers, and what they had is there for the next', async () => {
  const orders = messaging.exchange('orders')
  const seen = new Collected<ReceivedMessage>()
  orders.subscribe('billing', '#', (message) => {
    seen.put(message)
    return message.attempt === 1 && seen.all.length === 1 ? new Promise(() => {}) : undefined
  })
  await orders.publish('a', 1)
  const [first] = await seen.until(1)
  const { signal } = first!
  await messaging.stop(clock.elapsed())
  assert.equal(signal.aborted, true)
  await messaging.start()
  const again = (await seen.until(2))[1]!
  assert.deepEqual([again.id, again.attempt], [first!.id, 1])
})

it('starts and stops in any order', async () => {
  const { messaging: own } = inMemory()
  own.exchange('orders').subscribe('billing', '#', () => {})
  own.respond('quote', () => 1)
  await stressLifecycle(own)
})

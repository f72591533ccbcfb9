import assert from 'node:assert/strict'
import { afterEach, beforeEach, it } from 'node:test'
import { type MessageRequestEvent, messageRequest, TailwaterError } from '@tailwater/core'
import type { FakeClock } from '@tailwater/core/testing'
import type { Messaging } from '../src/index.ts'
import { Collected, doubling, inMemory, nextEvent } from './ground.ts'

let messaging: Messaging
let clock: FakeClock
beforeEach(async () => {
  ;({ messaging, clock } = inMemory())
  await messaging.start()
})
afterEach(() => messaging.stop())

/** Waits until a responder that was just made is known. */
async function declared(topic: string): Promise<void> {
  while (!(await messaging.inspect.subscription(`respond.${topic}`))) await Promise.resolve()
}

it('a request is answered', async () => {
  messaging.respond('pricing.quote', ({ body }) => ({ price: (body as { sku: string }).sku.length }))
  await declared('pricing.quote')
  const event = nextEvent(messageRequest)
  assert.deepEqual(await messaging.request('pricing.quote', { sku: 'abc' }), { price: 3 })
  const { outcome, replies, topic } = (await event) satisfies MessageRequestEvent
  assert.deepEqual([outcome, replies, topic], ['answered', 1, 'pricing.quote'])
})

it('an answer of nothing is undefined', async () => {
  messaging.respond('quiet', () => undefined)
  await declared('quiet')
  assert.equal(await messaging.request('quiet', null), undefined)
})

it('a request that nobody responds to says so', async () => {
  await assert.rejects(messaging.request('nobody.here', 1), { code: 'E_MESSAGE_NO_RESPONDER' })
})

it('what the responder throws is thrown at the one who asks, code and details', async () => {
  messaging.respond('fails', () => {
    throw new TailwaterError('E_STOCK', 'none left', { sku: 'x' })
  })
  messaging.respond('fails-plainly', () => {
    throw new Error('plain')
  })
  await declared('fails-plainly')
  await assert.rejects(messaging.request('fails', 1), (error: TailwaterError) => {
    assert.deepEqual(
      [error.code, error.message, error.details['sku'], error.details['isRemote']],
      ['E_STOCK', 'none left', 'x', true],
    )
    return true
  })
  await assert.rejects(messaging.request('fails-plainly', 1), { code: 'E_MESSAGE_RESPONDER', message: 'plain' })
})

it('a body that does not fit the responder is refused at the one who asks', async () => {
  messaging.respond('typed', ({ body }) => body, { schema: doubling })
  await declared('typed')
  assert.deepEqual(await messaging.request('typed', { n: 2 }), { n: 4 })
  await assert.rejects(messaging.request('typed', { n: 'x' }), { code: 'E_MESSAGE_BODY' })
})

it('a request that is not answered in time fails, and its responder is told to stop', async () => {
  const signals = new Collected<AbortSignal>()
  messaging.respond('slow', ({ signal }) => {
    signals.put(signal)
    return new Promise(() => {})
  })
  await declared('slow')
  const asked = messaging.request('slow', 1, { timeout: '2s' })
  const [signal] = await signals.until(1)
  const told = new Promise((resolve) => signal!.addEventListener('abort', resolve))
  const failed = assert.rejects(asked, { code: 'E_MESSAGE_TIMEOUT' })
  await clock.advance(2_000)
  await failed
  await told
})

it('who gives up tells the responder', async () => {
  const signals = new Collected<AbortSignal>()
  messaging.respond('slow', ({ signal }) => {
    signals.put(signal)
    return new Promise(() => {})
  })
  await declared('slow')
  const controller = new AbortController()
  const asked = messaging.request('slow', 1, { signal: controller.signal })
  const [signal] = await signals.until(1)
  const told = new Promise((resolve) => signal!.addEventListener('abort', resolve))
  controller.abort(new Error('changed my mind'))
  await assert.rejects(asked, /changed my mind/)
  await told
})

it('several replies are read as they come, and then there is an end', async () => {
  messaging.respond('count', async function* ({ body }) {
    for (let n = 1; n <= (body as number); n++) yield n
  })
  await declared('count')
  const parts: unknown[] = []
  for await (const part of messaging.requestStream('count', 5)) parts.push(part)
  assert.deepEqual(parts, [1, 2, 3, 4, 5])
})

it('a stream that fails gives what came, and then the error', async () => {
  messaging.respond('breaks', async function* () {
    yield 1
    throw new TailwaterError('E_BROKEN', 'in the middle')
  })
  await declared('breaks')
  const parts: unknown[] = []
  await assert.rejects(
    async () => {
      for await (const part of messaging.requestStream('breaks', null)) parts.push(part)
    },
    { code: 'E_BROKEN' },
  )
  assert.deepEqual(parts, [1])
})

it('who leaves a stream stops its responder', async () => {
  let ended: () => void = () => {}
  const stopped = new Promise<void>((resolve) => {
    ended = resolve
  })
  messaging.respond('endless', async function* ({ signal }) {
    signal.addEventListener('abort', ended)
    for (let n = 1; ; n++) {
      yield n
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
  await declared('endless')
  for await (const part of messaging.requestStream('endless', null)) if (part === 3) break
  await stopped
})

it('a responder that takes too long says so', async () => {
  messaging.respond('stuck', () => new Promise(() => {}), { timeout: '1s' })
  await declared('stuck')
  const asked = messaging.request('stuck', 1, { timeout: '1m' })
  const failed = assert.rejects(asked, { code: 'E_MESSAGE_TIMEOUT', message: /no answer to 'stuck'/ })
  for (let second = 0; second < 3; second++) await clock.advance(500)
  await failed
})

it('requests under way fail when messaging stops', async () => {
  const asked = new Collected<unknown>()
  messaging.respond('slow', () => {
    asked.put(1)
    return new Promise(() => {})
  })
  await declared('slow')
  const failed = assert.rejects(messaging.request('slow', 1))
  await asked.until(1)
  await messaging.stop(clock.elapsed())
  await failed
})

it('requests beside each other get their own answers', async () => {
  messaging.respond('echo', async ({ body }) => body)
  await declared('echo')
  const bodies = Array.from({ length: 100 }, (_, index) => index)
  assert.deepEqual(await Promise.all(bodies.map((body) => messaging.request('echo', body))), bodies)
})

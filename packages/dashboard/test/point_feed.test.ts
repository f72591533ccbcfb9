import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createTelemetry } from '@tailwater/telemetry'
import { type FeedEnd, PointFeed } from '../src/server/point_feed.ts'

async function feedOf(t: TestContext, { isAllowed = async () => true } = {}) {
  const clock = new FakeClock()
  const telemetry = createTelemetry({ clock })
  await telemetry.start()
  t.after(() => telemetry.stop())
  const feed = new PointFeed({ telemetry, after: clock.now(), isAllowed })
  const ends: FeedEnd[] = []
  feed.onEnd((reason) => ends.push(reason))
  return { clock, feed, ends }
}

test('a client that does not read is cut off after half a minute, and nothing is kept for it', async (t) => {
  const { clock, feed, ends } = await feedOf(t)
  await feed.next()
  await clock.advance(30_000)
  assert.deepEqual(ends, [])
  await clock.advance(1_000)
  assert.deepEqual(ends, ['slow'])
  assert.equal((await feed.next()).done, true)
})

test('a client that was slow for a while gets every second it missed', async (t) => {
  const { clock, feed } = await feedOf(t)
  await feed.next()
  await clock.advance(20_000)
  const start = clock.now() - 20_000
  for (let second = 1; second <= 20; second++)
    assert.equal((await feed.next()).value.id, String(start + second * 1_000))
})

test('a second that comes between subscribing and the history is sent once', async (t) => {
  const { clock, feed } = await feedOf(t)
  await clock.advance(2_000)
  const history = await feed.next()
  assert.equal((history.value.data as { at: number[] }).at.length, 2)
  const next = feed.next()
  await clock.advance(1_000)
  assert.equal((await next).value.id, String(clock.now()))
})

test('a client that is no longer allowed is cut off within a minute', async (t) => {
  let allowed = true
  const { clock, feed, ends } = await feedOf(t, { isAllowed: async () => allowed })
  const reading = (async () => {
    for await (const event of feed) assert.ok(event)
  })()
  await clock.advance(120_000)
  assert.deepEqual(ends, [])
  allowed = false
  await clock.advance(60_000)
  assert.deepEqual(ends, ['refused'])
  await reading
})

test('with the database away those who were let in stay', async (t) => {
  const { clock, feed, ends } = await feedOf(t, { isAllowed: () => Promise.reject(new Error('the database is away')) })
  const reading = (async () => {
    for await (const event of feed) assert.ok(event)
  })()
  await clock.advance(180_000)
  assert.deepEqual(ends, [])
  feed.end('closed')
  await reading
})

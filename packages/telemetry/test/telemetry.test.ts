import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  backgroundError,
  type Clock,
  cacheAccess,
  databasePool,
  databaseQuery,
  httpRequest,
  jobAttempt,
  listen,
} from '@tailwater/core'
import { FakeClock, stressLifecycle } from '@tailwater/core/testing'
import { createTelemetry, type Point, type Telemetry } from '@tailwater/telemetry'

test('a second of events becomes one point of rates and percentiles', async (t) => {
  const { clock, telemetry } = await started(t)
  for (let index = 1; index <= 100; index++) request({ ms: index, status: index > 98 ? 500 : 200 })
  for (const outcome of ['hit', 'hit', 'stale', 'miss'] as const)
    cacheAccess.publish({ requestId: undefined, cache: 'product', outcome, tier: 'near' })
  for (const outcome of ['completed', 'completed', 'retryable', 'dead', 'cancelled'] as const) attempt(outcome)
  query(4)
  databasePool.publish({ pool: 'primary', change: 'connected', open: 12, idle: 5, waiting: 1 })
  await clock.advance(1_000)

  const { at, values } = telemetry.snapshot()!
  assert.equal(at, clock.now())
  assert.equal(values['http.requests'], 100)
  assert.equal(values['http.errors'], 2)
  near(values['http.p50'], 50)
  near(values['http.p95'], 95)
  near(values['http.p99'], 99)
  assert.equal(values['cache.hitRatio'], 0.75)
  assert.equal(values['jobs.completed'], 2)
  assert.equal(values['jobs.failed'], 2)
  assert.equal(values['database.queries'], 1)
  near(values['database.p95'], 4)
  assert.deepEqual([values['database.open'], values['database.idle'], values['database.waiting']], [12, 5, 1])
  assert.ok(values['runtime.rss']! > 1_000_000)
})

test('percentiles and the hit ratio cover the last ten seconds, and then forget', async (t) => {
  const { clock, telemetry } = await started(t)
  request({ ms: 200 })
  cacheAccess.publish({ requestId: undefined, cache: 'product', outcome: 'hit', tier: 'near' })
  await clock.advance(10_000)
  near(telemetry.snapshot()!.values['http.p95'], 200)
  assert.equal(telemetry.snapshot()!.values['http.requests'], 0)
  assert.equal(telemetry.snapshot()!.values['cache.hitRatio'], 1)
  await clock.advance(1_000)
  assert.equal(telemetry.snapshot()!.values['http.p95'], null)
  assert.equal(telemetry.snapshot()!.values['cache.hitRatio'], null)
})

test('requests to the dashboard itself are not counted, its neighbours are', async (t) => {
  const { clock, telemetry } = await started(t)
  request({ path: '/tailwater/api/stream', ms: 3_600_000 })
  request({ path: '/tailwater' })
  request({ path: '/tailwaters' })
  await clock.advance(1_000)
  assert.equal(telemetry.snapshot()!.values['http.requests'], 1)
})

test('a gauge is read at each sample, in place of events', async (t) => {
  const { clock, telemetry } = await started(t)
  let waiting = 3
  const remove = telemetry.gauge(() => ({ 'jobs.waiting': waiting }))
  await clock.advance(1_000)
  assert.equal(telemetry.snapshot()!.values['jobs.waiting'], 3)
  waiting = 8
  await clock.advance(1_000)
  assert.equal(telemetry.snapshot()!.values['jobs.waiting'], 8)
  remove()
  await clock.advance(1_000)
  assert.equal(telemetry.snapshot()!.values['jobs.waiting'], null)
})

test('a gauge that answers later is asked one question at a time, and keeps its last answer', async (t) => {
  const { clock, telemetry } = await started(t)
  const questions: PromiseWithResolvers<{ 'jobs.waiting': number }>[] = []
  telemetry.gauge(() => {
    const question = Promise.withResolvers<{ 'jobs.waiting': number }>()
    questions.push(question)
    return question.promise
  })
  const waiting = () => telemetry.snapshot()!.values['jobs.waiting']
  await clock.advance(3_000)
  assert.equal(questions.length, 1)
  assert.equal(waiting(), null)
  questions[0]!.resolve({ 'jobs.waiting': 5 })
  await clock.advance(2_000)
  assert.equal(questions.length, 2)
  assert.equal(waiting(), 5)
  questions[1]!.reject(new Error('the database is away'))
  await clock.advance(1_000)
  assert.equal(waiting(), null)
})

test('a throwing gauge or subscriber costs nobody else their second, and is reported', async (t) => {
  const { clock, telemetry } = await started(t)
  const reported: string[] = []
  t.after(listen(backgroundError, ({ error }) => void reported.push(error.message)))
  const points: Point[] = []
  telemetry.gauge(() => {
    throw new Error('no gauge')
  })
  telemetry.subscribe(() => {
    throw new Error('no subscriber')
  })
  telemetry.subscribe((point) => points.push(point))
  await clock.advance(1_000)
  assert.equal(points.length, 1)
  assert.deepEqual(reported, ['no gauge', 'no subscriber'])
})

test('subscribers hear every second until they cancel', async (t) => {
  const { clock, telemetry } = await started(t)
  const heard: number[] = []
  const cancel = telemetry.subscribe((point) => heard.push(point.at))
  await clock.advance(3_000)
  cancel()
  await clock.advance(2_000)
  assert.equal(heard.length, 3)
  assert.deepEqual([heard[1]! - heard[0]!, heard[2]! - heard[1]!], [1_000, 1_000])
})

test('history holds the last seconds by column, oldest first, and no more than asked or kept', async (t) => {
  const { clock, telemetry } = await started(t, 10)
  for (let second = 1; second <= 15; second++) {
    for (let index = 0; index < second; index++) request({})
    await clock.advance(1_000)
  }
  assert.deepEqual(telemetry.history(3).series['http.requests'], [13, 14, 15])
  assert.deepEqual(telemetry.history(60).series['http.requests'], [6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
  assert.equal(telemetry.history(60).at.at(-1), clock.now())
  assert.deepEqual(telemetry.since(clock.now() - 2_000).series['http.requests'], [14, 15])
  assert.deepEqual(telemetry.since(clock.now()).at, [])
})

test('a rate is per second also when the sample covers more than one', async (t) => {
  const { clock, telemetry } = await started(t, 3_600, new FakeClock(Date.UTC(2030, 0, 1) + 600))
  for (let index = 0; index < 30; index++) request({})
  await clock.advance(400)
  assert.equal(telemetry.snapshot(), undefined)
  await clock.advance(1_000)
  assert.equal(telemetry.snapshot()!.values['http.requests']!.toFixed(2), (30 / 1.4).toFixed(2))
  assert.equal(telemetry.snapshot()!.at % 1_000, 0)
})

test('a timer that fires early makes no sample of a millisecond', async (t) => {
  const clock = new FakeClock()
  const early: Clock = {
    now: () => clock.now(),
    elapsed: () => clock.elapsed(),
    after: (ms, task) => clock.after(Math.max(1, ms - 2), task),
  }
  const telemetry = createTelemetry({ clock: early })
  await telemetry.start()
  t.after(() => telemetry.stop())
  await clock.advance(10_000)
  const { at } = telemetry.history(60)
  assert.deepEqual(
    at.slice(1).map((time, index) => time - at[index]!),
    new Array(9).fill(1_000),
  )
})

test('when the clock is put back, the history goes back with it', async (t) => {
  const { clock, telemetry } = await started(t)
  await clock.advance(10_000)
  clock.step(-5_000)
  await clock.advance(1_000)
  const { at } = telemetry.history(60)
  assert.equal(at.length, 6)
  assert.equal(at.at(-1), clock.now())
})

test('nothing is recorded while stopped, and the history survives', async (t) => {
  const { clock, telemetry } = await started(t)
  await clock.advance(1_000)
  await telemetry.stop()
  assert.equal(httpRequest.hasSubscribers, false)
  assert.equal(clock.pending, 0)
  await clock.advance(5_000)
  assert.equal(telemetry.history(60).at.length, 1)
  await telemetry.start()
  request({})
  await clock.advance(1_000)
  assert.equal(telemetry.snapshot()!.values['http.requests'], 1)
})

test('it starts and stops in any order, any number of times', async () => {
  await stressLifecycle(createTelemetry({ clock: new FakeClock() }))
})

test('a misspelt option is refused with the right one', () => {
  assert.throws(() => createTelemetry({ historySecond: 5 } as never), {
    code: 'E_OPTIONS',
    message: /did you mean 'historySeconds'/,
  })
  assert.throws(() => createTelemetry({ ignorePaths: ['/tailwater/'] }), { code: 'E_OPTIONS' })
})

async function started(
  t: TestContext,
  historySeconds = 3_600,
  clock = new FakeClock(),
): Promise<{ clock: FakeClock; telemetry: Telemetry }> {
  const telemetry = createTelemetry({ clock, historySeconds })
  await telemetry.start()
  t.after(() => telemetry.stop())
  return { clock, telemetry }
}

function request({
  ms = 1,
  status = 200,
  path = '/api/products',
}: {
  ms?: number
  status?: number
  path?: string
}): void {
  httpRequest.publish({ requestId: 'r', method: 'GET', route: path, path, status, ms, aborted: false, bytes: 10 })
}

function attempt(outcome: 'completed' | 'retryable' | 'dead' | 'cancelled'): void {
  jobAttempt.publish({
    requestId: undefined,
    kind: 'mail',
    jobId: '1',
    attempt: 1,
    outcome,
    waitMs: 1,
    ms: 1,
    error: undefined,
  })
}

function query(ms: number): void {
  databaseQuery.publish({
    requestId: undefined,
    name: undefined,
    fingerprint: '0',
    text: 'SELECT 1',
    ms,
    rows: 1,
    target: 'primary',
    error: undefined,
  })
}

function near(actual: number | null | undefined, expected: number): void {
  assert.ok(actual != null && Math.abs(actual - expected) / expected < 0.03, `${actual} is not near ${expected}`)
}

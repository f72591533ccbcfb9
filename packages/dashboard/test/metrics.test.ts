import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpRequest } from '@tailwater/core'
import { EMAIL, openDashboard, PASSWORD } from './dashboard_fixture.ts'
import { readEvents } from './event_stream.ts'

const API = '/tailwater/api'

async function loggedIn(...[t, options]: Parameters<typeof openDashboard>) {
  const opened = await openDashboard(t, options)
  await opened.accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  return { ...opened, ...(await opened.logIn()) }
}

function request(): void {
  httpRequest.publish({
    requestId: 'r',
    method: 'GET',
    route: '/x',
    path: '/x',
    status: 200,
    ms: 5,
    aborted: false,
    bytes: 1,
  })
}

test('the snapshot is empty at first, and then the newest second', async (t) => {
  const { clock, get, cookie } = await loggedIn(t)
  const before = await get(`${API}/metrics`, { cookie })
  assert.equal(before.body.values['http.requests'], null)
  for (let index = 0; index < 7; index++) request()
  await clock.advance(1_000)
  const after = await get(`${API}/metrics`, { cookie })
  assert.equal(after.body.values['http.requests'], 7)
  assert.equal(after.body.at, clock.now())
})

test('the history has as many seconds as were asked for, ten minutes by default', async (t) => {
  const { clock, get, cookie } = await loggedIn(t)
  await clock.advance(700_000)
  const history = async (query: string) =>
    (await get(`${API}/metrics/history${query}`, { cookie })).body as unknown as { at: number[] }
  assert.equal((await history('')).at.length, 600)
  assert.equal((await history('?seconds=5')).at.length, 5)
  for (const bad of ['0', '-1', 'x', '1.5', '86401', '']) {
    const { status, problem } = await get(`${API}/metrics/history?seconds=${bad}`, { cookie })
    assert.equal(status, 400, bad)
    assert.equal(problem.errors?.[0]?.path, '/query/seconds')
  }
})

test('the status names version, process and database', async (t) => {
  const { get, cookie } = await loggedIn(t)
  const { status, body } = await get(`${API}/status`, { cookie })
  assert.equal(status, 200)
  const {
    version,
    node,
    process: identity,
    database,
  } = body as unknown as {
    version: string
    node: string
    process: string
    database: { version: string; pool: { max: number } }
  }
  assert.equal(version, '1.2.3')
  assert.equal(node, process.version)
  assert.match(identity, new RegExp(`:${process.pid}:`))
  assert.match(database.version, /^\d+\.\d+/)
  assert.ok(database.pool.max > 0)
})

test('the stream brings the history and then every second as it comes', async (t) => {
  const { clock, origin, cookie } = await loggedIn(t)
  await clock.advance(5_000)
  const events = await readEvents(t, `${origin}${API}/stream?seconds=3`, { cookie })
  const history = await events.next()
  assert.equal(history.event, 'history')
  assert.equal((history.data as { at: number[] }).at.length, 3)
  assert.equal(history.id, String(clock.now()))
  for (const requests of [4, 9]) {
    for (let index = 0; index < requests; index++) request()
    await clock.advance(1_000)
    const point = await events.next()
    assert.equal(point.event, 'point')
    assert.equal(point.id, String(clock.now()))
    assert.equal((point.data as { values: Record<string, number> }).values['http.requests'], requests)
  }
})

test('a stream that is resumed misses nothing and repeats nothing', async (t) => {
  const { clock, origin, cookie } = await loggedIn(t)
  await clock.advance(10_000)
  const last = clock.now() - 4_000
  for (const [query, headers] of [
    [`?after=${last}`, {}],
    ['?seconds=600', { 'last-event-id': String(last) }],
  ] as const) {
    const events = await readEvents(t, `${origin}${API}/stream${query}`, { cookie, ...headers })
    const { data } = await events.next()
    assert.deepEqual((data as { at: number[] }).at, [last + 1_000, last + 2_000, last + 3_000, last + 4_000])
  }
})

test('an open stream ends when its session does', async (t) => {
  const { clock, origin, cookie, headers, post } = await loggedIn(t)
  const events = await readEvents(t, `${origin}${API}/stream`, { cookie })
  await events.next()
  await post(`${API}/auth/logout`, undefined, { cookie, headers })
  await clock.advance(61_000)
  await events.ended()
})

test('open streams end when the server begins to drain, and none is opened any more', async (t) => {
  const closing = new AbortController()
  const { origin, cookie } = await loggedIn(t, { closing: closing.signal })
  const drained = await readEvents(t, `${origin}${API}/stream`, { cookie })
  await drained.next()
  closing.abort()
  await drained.ended()
  const late = await readEvents(t, `${origin}${API}/stream`, { cookie })
  await late.ended()
})

test('open streams end when the dashboard stops', async (t) => {
  const { dashboard, origin, cookie } = await loggedIn(t)
  const events = await readEvents(t, `${origin}${API}/stream`, { cookie })
  await events.next()
  await dashboard.stop()
  await events.ended()
})

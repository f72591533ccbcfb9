import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backgroundError, listen } from '@tailwater/core'
import { FakeClock, stressLifecycle } from '@tailwater/core/testing'
import { createTelemetry } from '@tailwater/telemetry'
import { createDashboard } from '../src/server/dashboard.ts'
import { EMAIL, openDashboard, PASSWORD } from './dashboard_fixture.ts'

const telemetry = createTelemetry({ clock: new FakeClock() })

test('a dashboard that would be open to everybody is refused outside development', () => {
  assert.throws(() => createDashboard({ telemetry }), { code: 'E_DASHBOARD_OPEN' })
  assert.ok(createDashboard({ telemetry, development: true }))
  assert.ok(createDashboard({ telemetry, authorize: () => undefined }))
})

test('wrong options are refused with their name', () => {
  assert.throws(() => createDashboard({ telemetry, development: true, mont: '/x' } as never), {
    code: 'E_OPTIONS',
    message: /did you mean 'mount'/,
  })
  for (const mount of ['tailwater', '/tailwater/', '/', '/a b', '/"x', '//x'])
    assert.throws(() => createDashboard({ telemetry, development: true, mount }), { code: 'E_OPTIONS' }, mount)
})

test('it starts and stops in any order, any number of times', async () => {
  await stressLifecycle(createDashboard({ telemetry, development: true, clock: new FakeClock() }))
})

test('in development without accounts everybody is let in', async (t) => {
  const { get } = await openDashboard(t, { accounts: undefined, development: true } as never)
  const { status, body } = await get('/tailwater/api/auth/me')
  assert.equal(status, 200)
  assert.equal(body.csrf, null)
})

test('an application lets in whom it knows, beside the accounts', async (t) => {
  const { accounts, get, logIn } = await openDashboard(t, {
    authorize: ({ headers }) => (headers['x-user'] === 'grace' ? { email: 'grace@example.com' } : undefined),
  })
  assert.equal((await get('/tailwater/api/auth/me', { headers: { 'x-user': 'eve' } })).status, 401)
  const { body } = await get('/tailwater/api/auth/me', { headers: { 'x-user': 'grace' } })
  assert.equal(body.user.email, 'grace@example.com')
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const { cookie } = await logIn()
  assert.equal((await get('/tailwater/api/auth/me', { cookie })).body.user.email, EMAIL)
})

test('what has expired is removed every hour, and a failure there is reported', async (t) => {
  const { accounts, clock, database, schema, logIn, dashboard } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  await logIn()
  clock.step(8 * 86_400_000)
  const removed = new Promise<void>((resolve) => {
    const poll = async () => {
      const { rows } = await database.query(`SELECT 1 FROM "${schema}".sessions`)
      if (rows.length === 0) resolve()
      else setImmediate(poll)
    }
    void poll()
  })
  await clock.advance(3_600_000)
  await removed
  const reported = new Promise<string>((resolve) => {
    t.after(listen(backgroundError, ({ source }) => resolve(source)))
  })
  await database.query(`ALTER TABLE "${schema}".sessions RENAME TO gone`)
  await clock.advance(3_600_000)
  assert.equal(await reported, 'dashboard')
  await dashboard.stop()
})

test('the API describes itself to those who may use it', async (t) => {
  const { accounts, get, logIn } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  for (const path of ['api/openapi.json', 'reference', 'reference/initializer.js'])
    assert.equal((await get(`/tailwater/${path}`)).status, 401, path)
  const { cookie } = await logIn()
  const { body } = await get('/tailwater/api/openapi.json', { cookie })
  const { openapi, paths } = body as unknown as {
    openapi: string
    paths: Record<string, Record<string, { security: unknown }>>
  }
  assert.equal(openapi, '3.1.0')
  assert.deepEqual(Object.keys(paths).sort(), [
    '/tailwater/api/auth/login',
    '/tailwater/api/auth/logout',
    '/tailwater/api/auth/me',
    '/tailwater/api/auth/password',
    '/tailwater/api/auth/revoke',
    '/tailwater/api/auth/token',
    '/tailwater/api/metrics',
    '/tailwater/api/metrics/history',
    '/tailwater/api/status',
    '/tailwater/api/stream',
  ])
  assert.deepEqual(paths['/tailwater/api/auth/login']!['post']!.security, [])
  const reference = await get('/tailwater/reference', { cookie })
  assert.equal(reference.status, 200)
  assert.match(reference.headers.get('content-type')!, /text\/html/)
})

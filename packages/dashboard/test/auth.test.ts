import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMAIL, openDashboard, PASSWORD } from './dashboard_fixture.ts'

const API = '/tailwater/api'

test('a stranger sees nothing of the API', async (t) => {
  const { get, post } = await openDashboard(t)
  for (const path of ['auth/me', 'metrics', 'metrics/history', 'stream', 'status']) {
    const { status, problem } = await get(`${API}/${path}`)
    assert.equal(status, 401, path)
    assert.equal(problem.code, 'E_UNAUTHENTICATED')
  }
  for (const [path, body] of [
    ['logout', undefined],
    ['password', { current: 'a', next: 'b' }],
    ['revoke', { token: 'x' }],
  ] as const)
    assert.equal((await post(`${API}/auth/${path}`, body)).status, 401, path)
})

test('logging in opens a session whose cookie no script and no other site can use', async (t) => {
  const { accounts, logIn, get } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const { answer, cookie } = await logIn()
  assert.deepEqual(answer.body.user, { email: EMAIL, role: 'administrator', mustChangePassword: false })
  const [line] = answer.headers.getSetCookie()
  assert.match(line!, /^tailwater_session=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict$/)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  const me = await get(`${API}/auth/me`, { cookie })
  assert.equal(me.status, 200)
  assert.deepEqual(me.body, answer.body)
})

test('over https the cookie is secure and bound to the host', async (t) => {
  const { accounts, post, get } = await openDashboard(t, { host: { trustedProxies: ['loopback'] } })
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const headers = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' }
  const answer = await post(`${API}/auth/login`, { email: EMAIL, password: PASSWORD }, { headers })
  const [line] = answer.headers.getSetCookie()
  assert.match(line!, /^__Host-tailwater=[\w-]{43}; Path=\/; Max-Age=604800; HttpOnly; SameSite=Strict; Secure$/)
  assert.equal((await get(`${API}/auth/me`, { headers, cookie: line!.split(';')[0]! })).status, 200)
})

test('a wrong password and an unknown address get the same answer', async (t) => {
  const { accounts, post } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const wrong = await post(`${API}/auth/login`, { email: EMAIL, password: 'not the password' })
  const unknown = await post(`${API}/auth/login`, { email: 'eve@example.com', password: 'not the password' })
  for (const { status, problem, headers } of [wrong, unknown]) {
    assert.equal(status, 401)
    assert.equal(problem.code, 'E_CREDENTIALS')
    assert.deepEqual(headers.getSetCookie(), [])
  }
  assert.equal(wrong.problem.detail, unknown.problem.detail)
})

test('the sixth attempt to log in within a minute is refused, right or wrong, and then the first of the next', async (t) => {
  const { accounts, clock, post } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  for (let attempt = 1; attempt <= 5; attempt++)
    assert.equal((await post(`${API}/auth/login`, { email: EMAIL, password: 'wrong' })).status, 401)
  const refused = await post(`${API}/auth/token`, { email: EMAIL, password: PASSWORD })
  assert.equal(refused.status, 429)
  assert.equal(refused.problem.code, 'E_RATE_LIMITED')
  assert.ok(Number(refused.headers.get('retry-after')) > 0)
  await clock.advance(60_000)
  assert.equal((await post(`${API}/auth/token`, { email: EMAIL, password: PASSWORD })).status, 200)
})

test('a malformed log-in is told which field is wrong', async (t) => {
  const { post } = await openDashboard(t)
  for (const [body, path] of [
    [{ email: EMAIL }, '/body/password'],
    [{ email: 5, password: 'x' }, '/body/email'],
    [{ email: EMAIL, password: 'x'.repeat(257) }, '/body/password'],
    [{ email: EMAIL, password: 'x', admin: true }, '/body/admin'],
  ] as const) {
    const { status, problem } = await post(`${API}/auth/login`, body)
    assert.equal(status, 400)
    assert.equal(problem.errors?.[0]?.path, path)
  }
})

test('a request from another site is refused, whatever it brings along', async (t) => {
  const { accounts, logIn, post, origin } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const { cookie, headers } = await logIn()
  for (const foreign of [
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'null' },
  ]) {
    const logout = await post(`${API}/auth/logout`, undefined, { cookie, headers: { ...headers, ...foreign } as never })
    assert.equal(logout.status, 403)
    assert.equal(logout.problem.code, 'E_CSRF')
    const login = await post(`${API}/auth/login`, { email: EMAIL, password: PASSWORD }, { headers: foreign as never })
    assert.equal(login.problem.code, 'E_CSRF')
  }
  const own = await post(`${API}/auth/logout`, undefined, { cookie, headers: { ...headers, origin } })
  assert.equal(own.status, 204)
})

test('a change without the token of its session is refused, also with that of another session', async (t) => {
  const { accounts, logIn, post, get } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const mine = await logIn()
  const other = await logIn()
  for (const headers of [{}, { 'x-tailwater-csrf': 'x' }, other.headers]) {
    const { status, problem } = await post(`${API}/auth/logout`, undefined, { cookie: mine.cookie, headers })
    assert.equal(status, 403)
    assert.equal(problem.code, 'E_CSRF')
  }
  assert.equal((await get(`${API}/auth/me`, { cookie: mine.cookie })).status, 200)
})

test('logging out ends the session and takes the cookie away', async (t) => {
  const { accounts, logIn, post, get } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const { cookie, headers } = await logIn()
  const answer = await post(`${API}/auth/logout`, undefined, { cookie, headers })
  assert.equal(answer.status, 204)
  assert.match(answer.headers.getSetCookie()[0]!, /^tailwater_session=; Path=\/; Max-Age=0;/)
  assert.equal((await get(`${API}/auth/me`, { cookie })).status, 401)
})

test('logging in again ends the session before', async (t) => {
  const { accounts, logIn, post, get } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const { cookie } = await logIn()
  await post(`${API}/auth/login`, { email: EMAIL, password: PASSWORD }, { cookie })
  assert.equal((await get(`${API}/auth/me`, { cookie })).status, 401)
})

test('with the one-time password nothing is open but its change', async (t) => {
  const { accounts, logIn, post, get } = await openDashboard(t)
  const first = await accounts.ensureFirstAdministrator({ email: EMAIL })
  const current = first!.oneTimePassword!
  const { cookie, headers, answer } = await logIn(EMAIL, current)
  assert.equal(answer.body.user.mustChangePassword, true)
  for (const path of ['metrics', 'metrics/history', 'stream', 'status']) {
    const { status, problem } = await get(`${API}/${path}`, { cookie })
    assert.equal(status, 403, path)
    assert.equal(problem.code, 'E_PASSWORD_CHANGE_REQUIRED')
  }
  const token = await post(`${API}/auth/token`, { email: EMAIL, password: current })
  assert.equal(token.problem.code, 'E_PASSWORD_CHANGE_REQUIRED')
  const weak = await post(`${API}/auth/password`, { current, next: 'short' }, { cookie, headers })
  assert.equal(weak.status, 400)
  assert.equal(weak.problem.code, 'E_PASSWORD_WEAK')
  assert.equal(weak.problem.errors?.[0]?.path, '/body/next')
  assert.equal((await post(`${API}/auth/password`, { current, next: PASSWORD }, { cookie, headers })).status, 204)
  assert.equal((await get(`${API}/metrics`, { cookie })).status, 200)
  assert.equal((await get(`${API}/auth/me`, { cookie })).body.user.mustChangePassword, false)
})

test('a token opens the API for 24 hours, and needs no CSRF token', async (t) => {
  const { accounts, clock, post, get } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const { body } = await post(`${API}/auth/token`, { email: EMAIL, password: PASSWORD })
  assert.equal(body.expiresAt, new Date(clock.now() + 86_400_000).toISOString())
  const headers = { authorization: `Bearer ${body.token}` }
  assert.equal((await get(`${API}/status`, { headers })).status, 200)
  assert.equal((await get(`${API}/auth/me`, { headers })).body.csrf, null)
  clock.step(86_400_000)
  assert.equal((await get(`${API}/status`, { headers })).status, 401)
})

test('a revoked token opens nothing, and a bad one is not made up for by a cookie', async (t) => {
  const { accounts, logIn, post, get } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const { cookie } = await logIn()
  const { token } = (await post(`${API}/auth/token`, { email: EMAIL, password: PASSWORD })).body
  const headers = { authorization: `Bearer ${token}` }
  assert.deepEqual((await post(`${API}/auth/revoke`, { token }, { headers })).body, { revoked: true })
  assert.equal((await get(`${API}/status`, { headers })).status, 401)
  assert.equal((await get(`${API}/status`, { headers, cookie })).status, 401)
  assert.equal((await get(`${API}/status`, { cookie })).status, 200)
})

test('a session that was forged or cut short opens nothing', async (t) => {
  const { accounts, logIn, get } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const { cookie } = await logIn()
  for (const forged of [
    cookie.slice(0, -1),
    `${cookie}x`,
    'tailwater_session=',
    'tailwater_session',
    `x=1; ${cookie.replace('session', 'sessions')}`,
  ])
    assert.equal((await get(`${API}/auth/me`, { cookie: forged })).status, 401, forged)
  assert.equal((await get(`${API}/auth/me`, { cookie: `x=1; ${cookie}; y=2` })).status, 200)
})

test('a stranger may read 50 times in 15 minutes, a session has a budget of its own', async (t) => {
  const { accounts, logIn, get } = await openDashboard(t)
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const { cookie } = await logIn()
  for (let read = 1; read <= 50; read++) assert.equal((await get(`${API}/metrics`)).status, 401)
  assert.equal((await get(`${API}/metrics`)).status, 429)
  assert.equal((await get(`${API}/metrics`, { cookie })).status, 200)
})

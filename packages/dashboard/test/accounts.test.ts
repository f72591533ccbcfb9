import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createKeyring } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import type { Database } from '@tailwater/postgres'
import { createTestSchema } from '@tailwater/postgres/testing'
import { type Accounts, createAccounts, dashboardMigrations } from '../src/server/index.ts'

const SECRET = 'a secret of more than thirty-two characters'
const EMAIL = 'ada@example.com'
const PASSWORD = 'correct horse battery'
const HOUR = 3_600_000

let schema: Awaited<ReturnType<typeof createTestSchema>>
let database: Database
let clock: FakeClock
let accounts: Accounts

before(async () => {
  schema = await createTestSchema({ modules: [dashboardMigrations] })
  database = schema.database
})
after(() => schema.close())
beforeEach(async () => {
  await database.query(`DELETE FROM "${schema.schema}".users`)
  clock = new FakeClock()
  accounts = accountsWith(SECRET)
})

test('the first administrator gets a one-time password, once', async () => {
  const first = await accounts.ensureFirstAdministrator({ email: EMAIL })
  assert.equal(first?.email, EMAIL)
  assert.match(first?.oneTimePassword ?? '', /^([0-9a-hjkmnp-tv-z]{5}-){3}[0-9a-hjkmnp-tv-z]{5}$/)
  assert.equal(await accounts.ensureFirstAdministrator({ email: EMAIL }), undefined)
  const user = await accounts.verifyPassword(EMAIL, first!.oneTimePassword!)
  assert.equal(user?.mustChangePassword, true)
  assert.equal(user?.role, 'administrator')
})

test('of several processes that start together one makes the first administrator', async () => {
  const made = await Promise.all(Array.from({ length: 5 }, () => accounts.ensureFirstAdministrator({})))
  assert.equal(made.filter(Boolean).length, 1)
  const { rows } = await database.query<{ email: string }>(`SELECT email FROM "${schema.schema}".users`)
  assert.deepEqual(rows, [{ email: 'admin@localhost' }])
})

test('a process that starts while another is making the first administrator waits for it, and makes none', async () => {
  const users = `"${schema.schema}".users`
  const isWaiting = async () =>
    (await database.query(`SELECT 1 FROM pg_locks WHERE NOT granted AND relation = '${users}'::regclass`)).rows.length >
    0
  let second: Promise<unknown> | undefined
  let settled = false
  await database.transaction(async (tx) => {
    await tx.query(`LOCK TABLE ${users} IN SHARE ROW EXCLUSIVE MODE`)
    second = accounts.ensureFirstAdministrator({ email: 'second@example.com' }).finally(() => {
      settled = true
    })
    while (!settled && !(await isWaiting())) assert.ok(second)
    await tx.query(
      `INSERT INTO ${users} (id, email, password_hash, password_changed_at, created_at) VALUES (gen_random_uuid(), '${EMAIL}', 'x', now(), now())`,
    )
  })
  assert.equal(await second, undefined)
})

test('a given password is not a one-time one, and a weak one is refused', async () => {
  await assert.rejects(accounts.ensureFirstAdministrator({ password: 'short' }), { code: 'E_PASSWORD_WEAK' })
  await assert.rejects(accounts.ensureFirstAdministrator({ email: EMAIL, password: EMAIL }), {
    code: 'E_PASSWORD_WEAK',
  })
  await assert.rejects(accounts.ensureFirstAdministrator({ email: 'nobody', password: PASSWORD }), {
    code: 'E_OPTIONS',
  })
  const first = await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  assert.deepEqual(first, { email: EMAIL, oneTimePassword: undefined })
  assert.equal((await accounts.verifyPassword(EMAIL, PASSWORD))?.mustChangePassword, false)
})

test('a password is verified for its own user only, in whatever capitals the address is written', async () => {
  await addAdministrator()
  assert.equal((await accounts.verifyPassword(' Ada@EXAMPLE.com ', PASSWORD))?.email, EMAIL)
  assert.equal(await accounts.verifyPassword(EMAIL, `${PASSWORD}!`), undefined)
  assert.equal(await accounts.verifyPassword('eve@example.com', PASSWORD), undefined)
  assert.equal(await accounts.verifyPassword(EMAIL, ''), undefined)
})

test('what verifyPassword gives back holds no hash', async () => {
  await addAdministrator()
  const user = await accounts.verifyPassword(EMAIL, PASSWORD)
  assert.deepEqual(Object.keys(user!).sort(), ['email', 'id', 'mustChangePassword', 'role'])
})

test('passwords are stored as argon2id with 19 MiB and two passes', async () => {
  await addAdministrator()
  const { rows } = await database.query<{ hash: string }>(`SELECT password_hash AS hash FROM "${schema.schema}".users`)
  assert.match(rows[0]!.hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
})

test('a flood of log-ins is refused, and those in hand are answered', async () => {
  await addAdministrator()
  const results = await Promise.allSettled(Array.from({ length: 60 }, () => accounts.verifyPassword(EMAIL, PASSWORD)))
  const refused = results.filter((result) => result.status === 'rejected')
  assert.ok(refused.length > 0 && refused.length < 60, `${refused.length} of 60 refused`)
  for (const result of refused) assert.equal(result.reason.code, 'E_LOGIN_BUSY')
  assert.equal((await accounts.verifyPassword(EMAIL, PASSWORD))?.email, EMAIL)
})

test('a token names its holder for 24 hours', async () => {
  const user = await addAdministrator()
  const { token, expiresAt } = await accounts.issueToken(user)
  assert.equal(expiresAt, clock.now() + 24 * HOUR)
  const holder = await accounts.verifyToken(token)
  assert.deepEqual({ ...holder, tokenId: '' }, { userId: user.id, email: EMAIL, role: 'administrator', tokenId: '' })
  await clock.advance(24 * HOUR - 1_000)
  assert.equal((await accounts.verifyToken(token))?.userId, user.id)
  await clock.advance(1_000)
  assert.equal(await accounts.verifyToken(token), undefined)
})

test('a revoked token is refused at once here, and within two seconds elsewhere', async () => {
  const { token } = await accounts.issueToken(await addAdministrator())
  const elsewhere = accountsWith(SECRET)
  assert.ok(await elsewhere.verifyToken(token))
  assert.ok(await accounts.verifyToken(token))
  assert.equal(await accounts.revokeToken(token), true)
  assert.equal(await accounts.revokeToken(token), false)
  assert.equal(await accounts.verifyToken(token), undefined)
  await clock.advance(2_000)
  assert.equal(await elsewhere.verifyToken(token), undefined)
})

test('a token is refused when it was signed with another secret, changed, or is no token', async () => {
  const user = await addAdministrator()
  const { token } = await accountsWith('another secret of more than thirty-two characters').issueToken(user)
  assert.equal(await accounts.verifyToken(token), undefined)
  const own = (await accounts.issueToken(user)).token
  const [head, body, signature] = own.split('.')
  const forged = Buffer.from(
    JSON.stringify({ ...JSON.parse(Buffer.from(body!, 'base64url').toString()), exp: 9_999_999_999 }),
  )
  for (const text of [
    `${head}.${forged.toString('base64url')}.${signature}`,
    `${head}.${body}.`,
    'x',
    '',
    '..',
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`,
  ])
    assert.equal(await accounts.verifyToken(text), undefined, text)
})

test('a token survives a change of the secret as long as the old one is accepted', async () => {
  const { token } = await accounts.issueToken(await addAdministrator())
  const rotated = accountsWith('the next secret of more than thirty-two characters', SECRET)
  assert.ok(await rotated.verifyToken(token))
})

test('a one-time password gives no token until it is changed', async () => {
  const first = await accounts.ensureFirstAdministrator({ email: EMAIL })
  const user = (await accounts.verifyPassword(EMAIL, first!.oneTimePassword!))!
  await assert.rejects(accounts.issueToken(user), { code: 'E_PASSWORD_CHANGE_REQUIRED' })
  await accounts.changePassword(user.id, first!.oneTimePassword!, PASSWORD)
  const changed = (await accounts.verifyPassword(EMAIL, PASSWORD))!
  assert.equal(changed.mustChangePassword, false)
  assert.ok((await accounts.issueToken(changed)).token)
  assert.equal(await accounts.verifyPassword(EMAIL, first!.oneTimePassword!), undefined)
})

test('a changed password ends the other sessions and revokes the tokens', async () => {
  const user = await addAdministrator()
  const mine = await accounts.openSession(user)
  const other = await accounts.openSession(user)
  const { token } = await accounts.issueToken(user)
  assert.ok(await accounts.verifyToken(token))
  await accounts.changePassword(user.id, PASSWORD, 'another good password', { keep: mine.id })
  assert.ok(await accounts.findSession(mine.id))
  assert.equal(await accounts.findSession(other.id), undefined)
  assert.equal(await accounts.verifyToken(token), undefined)
})

test('a password is changed only by who knows it, and only to a good one', async () => {
  const user = await addAdministrator()
  await assert.rejects(accounts.changePassword(user.id, 'not the password', 'another good password'), {
    code: 'E_CREDENTIALS',
  })
  for (const weak of ['short', PASSWORD, 'x'.repeat(257), EMAIL])
    await assert.rejects(accounts.changePassword(user.id, PASSWORD, weak), { code: 'E_PASSWORD_WEAK' })
  assert.ok(await accounts.verifyPassword(EMAIL, PASSWORD))
})

test('of two changes at once, one wins', async () => {
  const user = await addAdministrator()
  const changes = await Promise.allSettled([
    accounts.changePassword(user.id, PASSWORD, 'the first new password'),
    accounts.changePassword(user.id, PASSWORD, 'the second new password'),
  ])
  assert.deepEqual(changes.map((change) => change.status).sort(), ['fulfilled', 'rejected'])
})

test('a session lasts a week when it is used daily, and a day when it is not', async () => {
  const user = await addAdministrator()
  const { id, expiresAt } = await accounts.openSession(user)
  assert.equal(expiresAt, clock.now() + 7 * 24 * HOUR)
  const unused = await accounts.openSession(user)
  for (let day = 0; day < 7; day++) {
    assert.deepEqual(await accounts.findSession(id), { user, expiresAt }, `day ${day}`)
    await clock.advance(24 * HOUR - 1)
  }
  assert.equal(await accounts.findSession(unused.id), undefined)
  await clock.advance(7)
  assert.equal(await accounts.findSession(id), undefined)
})

test('a session ends when it is told to, and its secret is not in the table', async () => {
  const { id } = await accounts.openSession(await addAdministrator())
  const { rows } = await database.query(`SELECT encode(hash, 'escape') AS hash FROM "${schema.schema}".sessions`)
  assert.equal(JSON.stringify(rows).includes(id), false)
  await accounts.endSession(id)
  assert.equal(await accounts.findSession(id), undefined)
})

test('a disabled user has neither password, session nor token', async () => {
  const user = await addAdministrator()
  const { id } = await accounts.openSession(user)
  const { token } = await accounts.issueToken(user)
  await database.query(`UPDATE "${schema.schema}".users SET disabled_at = now()`)
  assert.equal(await accounts.verifyPassword(EMAIL, PASSWORD), undefined)
  assert.equal(await accounts.findSession(id), undefined)
  assert.equal(await accounts.verifyToken(token), undefined)
})

test('what has expired is removed, and nothing else', async () => {
  const user = await addAdministrator()
  await accounts.openSession(user)
  await accounts.issueToken(user)
  await clock.advance(25 * HOUR)
  await accounts.removeExpired()
  assert.deepEqual(await counts(), { sessions: 1, tokens: 0 })
  await clock.advance(7 * 24 * HOUR)
  await accounts.removeExpired()
  assert.deepEqual(await counts(), { sessions: 0, tokens: 0 })
})

test('wrong options are refused with their name', () => {
  assert.throws(() => createAccounts({ database, keyring: createKeyring([SECRET]), schemas: 'x' } as never), {
    code: 'E_OPTIONS',
    message: /did you mean 'schema'/,
  })
  assert.throws(() => createAccounts({ database, keyring: createKeyring([SECRET]), schema: 'a"; DROP' }), {
    code: 'E_OPTIONS',
  })
})

function accountsWith(...secrets: string[]): Accounts {
  return createAccounts({ database, schema: schema.schema, keyring: createKeyring(secrets), clock })
}

async function addAdministrator() {
  await accounts.ensureFirstAdministrator({ email: EMAIL, password: PASSWORD })
  const user = await accounts.verifyPassword(EMAIL, PASSWORD)
  assert.ok(user)
  return user
}

async function counts() {
  const { rows } = await database.query(
    `SELECT (SELECT count(*)::int FROM "${schema.schema}".sessions) AS sessions, (SELECT count(*)::int FROM "${schema.schema}".tokens) AS tokens`,
  )
  return rows[0]
}

import { type Statement, statement } from '@tailwater/postgres'

/** The accounts' statements for one schema. Times come from the accounts' clock, which also signs the tokens. */
export interface AccountStatements {
  userByEmail: Statement
  userById: Statement
  anyUser: string
  lockUsers: string
  addUser: string
  setPassword: string
  addSession: Statement
  session: Statement
  touchSession: Statement
  endSession: Statement
  endOtherSessions: string
  addToken: Statement
  token: Statement
  revokeToken: Statement
  revokeTokensOf: string
  removeExpired: readonly [string, string]
}

/** Milliseconds since the Unix epoch, sent as text, as a timestamp. */
const time = (parameter: string) => `to_timestamp(${parameter}::text::float8 / 1000)`
const milliseconds = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`
const userColumns = `u.id::text, u.email, u.role, u.must_change_password AS "mustChangePassword"`

/** @param schema quoted */
export function accountStatements(schema: string): AccountStatements {
  return { ...userStatements(schema), ...sessionStatements(schema), ...tokenStatements(schema) }
}

function userStatements(schema: string) {
  const users = `${schema}.users`
  return {
    // Index users_email.
    userByEmail: statement(
      'users_by_email',
      `SELECT ${userColumns}, u.password_hash AS "passwordHash" FROM ${users} u WHERE lower(u.email) = lower($1::text) AND u.disabled_at IS NULL`,
    ),
    userById: statement(
      'users_by_id',
      `SELECT ${userColumns}, u.password_hash AS "passwordHash" FROM ${users} u WHERE u.id = $1::text::uuid AND u.disabled_at IS NULL`,
    ),
    anyUser: `SELECT 1 AS one FROM ${users} LIMIT 1`,
    // Two processes that start together: the second waits here, and then finds a user.
    lockUsers: `LOCK TABLE ${users} IN SHARE ROW EXCLUSIVE MODE`,
    addUser: `INSERT INTO ${users} (id, email, password_hash, role, must_change_password, password_changed_at, created_at)
      VALUES ($1::text::uuid, $2::text, $3::text, 'administrator', $4::text::boolean, ${time('$5')}, ${time('$5')}) RETURNING id::text`,
    // The old hash is compared too: of two changes at once, the second one's current password is wrong.
    setPassword: `UPDATE ${users} SET password_hash = $2::text, must_change_password = false, password_changed_at = ${time('$3')}
      WHERE id = $1::text::uuid AND password_hash = $4::text RETURNING id::text`,
  }
}

function sessionStatements(schema: string) {
  const sessions = `${schema}.sessions`
  const hash = `decode($1::text, 'hex')`
  return {
    addSession: statement(
      'sessions_add',
      `INSERT INTO ${sessions} (hash, user_id, created_at, last_seen_at, expires_at)
       VALUES (${hash}, $2::text::uuid, ${time('$3')}, ${time('$3')}, ${time('$4')}) RETURNING expires_at`,
    ),
    // Primary keys.
    session: statement(
      'sessions_one',
      `SELECT ${userColumns}, ${milliseconds('s.last_seen_at')} AS "lastSeenAt", ${milliseconds('s.expires_at')} AS "expiresAt"
       FROM ${sessions} s JOIN ${schema}.users u ON u.id = s.user_id
       WHERE s.hash = ${hash} AND s.expires_at > ${time('$2')} AND s.last_seen_at > ${time('$3')} AND u.disabled_at IS NULL`,
    ),
    touchSession: statement(
      'sessions_touch',
      `UPDATE ${sessions} SET last_seen_at = ${time('$2')} WHERE hash = ${hash}`,
    ),
    endSession: statement('sessions_end', `DELETE FROM ${sessions} WHERE hash = ${hash} RETURNING user_id::text`),
    // Index sessions_user.
    endOtherSessions: `DELETE FROM ${sessions} WHERE user_id = $2::text::uuid AND hash <> ${hash}`,
  }
}

function tokenStatements(schema: string) {
  const tokens = `${schema}.tokens`
  return {
    addToken: statement(
      'tokens_add',
      `INSERT INTO ${tokens} (id, user_id, created_at, expires_at) VALUES ($1::text::uuid, $2::text::uuid, ${time('$3')}, ${time('$4')}) RETURNING id::text`,
    ),
    // Primary keys.
    token: statement(
      'tokens_one',
      `SELECT ${userColumns} FROM ${tokens} t JOIN ${schema}.users u ON u.id = t.user_id
       WHERE t.id = $1::text::uuid AND t.revoked_at IS NULL AND u.disabled_at IS NULL`,
    ),
    revokeToken: statement(
      'tokens_revoke',
      `UPDATE ${tokens} SET revoked_at = ${time('$2')} WHERE id = $1::text::uuid AND revoked_at IS NULL RETURNING id::text`,
    ),
    // Index tokens_user.
    revokeTokensOf: `UPDATE ${tokens} SET revoked_at = ${time('$2')} WHERE user_id = $1::text::uuid AND revoked_at IS NULL`,
    // Indexes sessions_expiry and tokens_expiry.
    removeExpired: [
      `DELETE FROM ${schema}.sessions WHERE expires_at < ${time('$1')}`,
      `DELETE FROM ${tokens} WHERE expires_at < ${time('$1')}`,
    ] as const,
  }
}

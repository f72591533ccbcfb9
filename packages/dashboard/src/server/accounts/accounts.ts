import { type Clock, newId, TailwaterError } from '@tailwater/core'
import { type HttpProblem, problem } from '@tailwater/http'
import type { Database } from '@tailwater/postgres'
import { type AdminTokens, createAdminTokens, type TokenHolder } from './admin_tokens.ts'
import { type AccountsOptions, resolveAccountsOptions } from './options.ts'
import { checkPassword, hashPassword, isPassword, oneTimePassword, weakPassword } from './password.ts'
import { createSessions, type Session, type Sessions, sessionHash } from './session.ts'
import { type AccountStatements, accountStatements } from './statements.ts'
import { findUser, findUserByEmail, type User } from './user.ts'

/** Who the first administrator is, and how they get in. */
export interface FirstAdministrator {
  email: string
  /** To be shown once and changed at the first log-in; undefined when the password was given. */
  oneTimePassword: string | undefined
}

/** The administrators of one installation. */
export interface Accounts {
  /**
   * Makes an administrator when there is no user at all; otherwise does nothing. Of several processes that start together one does it.
   *
   * @param options.email `admin@localhost` by default
   * @param options.password as it is; without one a random one-time password is made
   * @throws E_PASSWORD_WEAK, E_OPTIONS
   */
  ensureFirstAdministrator(options?: {
    email?: string | undefined
    password?: string | undefined
  }): Promise<FirstAdministrator | undefined>
  /** The user, when the password is theirs; takes as long when there is no such user. @throws E_LOGIN_BUSY */
  verifyPassword(email: string, password: string): Promise<User | undefined>
  /**
   * Replaces a user's password, ends their other sessions and revokes their tokens.
   *
   * @param options.keep id of the session that goes on
   * @throws E_CREDENTIALS when the current one is wrong, E_PASSWORD_WEAK
   */
  changePassword(userId: string, current: string, next: string, options?: { keep?: string | undefined }): Promise<void>
  /** A signed token for 24 hours. @throws E_PASSWORD_CHANGE_REQUIRED while the password is the one-time one */
  issueToken(user: User): Promise<{ token: string; expiresAt: number }>
  /** Who a token belongs to, or undefined when it is not ours, expired, revoked, or its user is disabled. */
  verifyToken(token: string): Promise<TokenHolder | undefined>
  /** True when the token was valid until now; other processes refuse it within 2 s. */
  revokeToken(token: string): Promise<boolean>
  /** Opens a browser's session; the id goes into its cookie and is kept nowhere else. */
  openSession(user: User): Promise<{ id: string; expiresAt: number }>
  findSession(id: string): Promise<Session | undefined>
  endSession(id: string): Promise<void>
  /** Deletes the rows of sessions and tokens that have expired. */
  removeExpired(): Promise<void>
}

/** What the functions below share. */
interface Desk {
  database: Database
  statements: AccountStatements
  clock: Clock
  tokens: AdminTokens
}

/**
 * Accounts in the tables of `dashboardMigrations`: passwords as argon2id, sessions as hashes, tokens signed with a key derived from the secret.
 *
 * @throws E_OPTIONS
 * @example
 * const accounts = createAccounts({ database, keyring: createKeyring([secret]) })
 * const first = await accounts.ensureFirstAdministrator()
 * if (first?.oneTimePassword) console.log(`Log in as ${first.email} with ${first.oneTimePassword}`)
 */
export function createAccounts(options: AccountsOptions): Accounts {
  const { database, quotedSchema, keyring, clock } = resolveAccountsOptions(options)
  const statements = accountStatements(quotedSchema)
  const sessions: Sessions = createSessions(database, statements, clock)
  const tokens = createAdminTokens(database, statements, keyring, clock)
  const desk: Desk = { database, statements, clock, tokens }
  return {
    ensureFirstAdministrator: ({ email = 'admin@localhost', password } = {}) => ensureFirst(desk, email, password),
    async verifyPassword(email, password) {
      const found = await findUserByEmail(database, statements, email)
      const right = await isPassword(found?.passwordHash, password)
      return found && right ? publicUser(found) : undefined
    },
    changePassword: (userId, current, next, { keep } = {}) => changePassword(desk, { userId, current, next, keep }),
    async issueToken(user) {
      if (user.mustChangePassword) throw passwordChangeRequired()
      return tokens.issue(user)
    },
    verifyToken: tokens.verify,
    revokeToken: tokens.revoke,
    openSession: sessions.open,
    findSession: sessions.find,
    endSession: sessions.end,
    async removeExpired() {
      for (const text of statements.removeExpired) await database.query(text, [String(clock.now())])
    },
  }
}

async function ensureFirst(
  desk: Desk,
  email: string,
  password: string | undefined,
): Promise<FirstAdministrator | undefined> {
  const { database, statements, clock } = desk
  const isEmpty = async (queryable: Pick<Database, 'query'>) =>
    (await queryable.query(statements.anyUser)).rows.length === 0
  if (!(await isEmpty(database))) return undefined
  if (!/^[^\s@]+@[^\s@]+$/.test(email))
    throw new TailwaterError(
      'E_OPTIONS',
      `the first administrator's e-mail address must look like name@host, got '${email}'`,
      { path: 'email' },
    )
  if (password !== undefined) checkPassword(password, email)
  const made = password ?? oneTimePassword()
  const passwordHash = await hashPassword(made)
  const added = await database.transaction(async (tx) => {
    await tx.query(statements.lockUsers)
    if (!(await isEmpty(tx))) return false
    await tx.query(statements.addUser, [
      newId(),
      email,
      passwordHash,
      String(password === undefined),
      String(clock.now()),
    ])
    return true
  })
  return added ? { email, oneTimePassword: password === undefined ? made : undefined } : undefined
}

interface PasswordChange {
  userId: string
  current: string
  next: string
  keep: string | undefined
}

async function changePassword({ database, statements, clock, tokens }: Desk, change: PasswordChange): Promise<void> {
  const user = await findUser(database, statements, change.userId)
  if (!user || !(await isPassword(user.passwordHash, change.current))) throw wrongCurrentPassword()
  checkPassword(change.next, user.email, '/body/next')
  if (change.next === change.current)
    throw weakPassword('The new password must differ from the current one.', '/body/next')
  const passwordHash = await hashPassword(change.next)
  const now = String(clock.now())
  await database.transaction(async (tx) => {
    const { rows } = await tx.query(statements.setPassword, [user.id, passwordHash, now, user.passwordHash])
    if (rows.length === 0) throw wrongCurrentPassword()
    await tx.query(statements.endOtherSessions, [sessionHash(change.keep ?? ''), user.id])
    await tx.query(statements.revokeTokensOf, [user.id, now])
  })
  tokens.forget()
}

function publicUser({ id, email, role, mustChangePassword }: User): User {
  return { id, email, role, mustChangePassword }
}

function wrongCurrentPassword(): HttpProblem {
  const detail = 'The current password is not right.'
  return problem(400, 'E_CREDENTIALS', detail, {
    errors: [{ path: '/body/current', message: detail, code: 'credentials' }],
  })
}

/** The error of anything that a one-time password does not open. */
export function passwordChangeRequired(): HttpProblem {
  return problem(403, 'E_PASSWORD_CHANGE_REQUIRED', 'The one-time password must be changed first.')
}

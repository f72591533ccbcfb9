import { bearerToken, type Exchange } from '@tailwater/http'
import type { Accounts } from './accounts/accounts.ts'
import { sessionCookie } from './cookie.ts'

/** Who is calling, once it is known. */
export interface Principal {
  /** How they proved it: `open` when a development set-up asks nobody. */
  by: 'session' | 'token' | 'authorize' | 'open'
  /** Under which their budget of requests is counted. */
  key: string
  email: string
  role: string
  userId?: string
  mustChangePassword: boolean
  /** The cookie's value. */
  sessionId?: string
}

/** An application's own way to let people in: who it is, or undefined. */
export type Authorize = (
  exchange: Exchange,
) => { email: string; role?: string } | undefined | Promise<{ email: string; role?: string } | undefined>

/** Finds out who is calling; undefined for a stranger. */
export type Authenticator = (exchange: Exchange) => Promise<Principal | undefined>

const OPEN: Principal = { by: 'open', key: 'open', email: 'anybody', role: 'administrator', mustChangePassword: false }

/** Asks, in this order: the bearer token, the session's cookie, the application. With neither accounts nor `authorize` everybody is let in. */
export function createAuthenticator(accounts: Accounts | undefined, authorize: Authorize | undefined): Authenticator {
  if (!accounts && !authorize) return async () => OPEN
  return async (exchange) => {
    const known = accounts && (await withAccount(exchange, accounts))
    if (known) return known
    const person = await authorize?.(exchange)
    if (!person) return undefined
    return { by: 'authorize', key: `a:${person.email}`, role: 'administrator', mustChangePassword: false, ...person }
  }
}

async function withAccount(exchange: Exchange, accounts: Accounts): Promise<Principal | undefined> {
  const token = bearerToken(exchange.headers)
  // A token that is no good is not made up for by a cookie: the caller should learn of it.
  if (token !== undefined) return withToken(token, accounts)
  const sessionId = sessionCookie(exchange)
  const session = sessionId === undefined ? undefined : await accounts.findSession(sessionId)
  if (!session || sessionId === undefined) return undefined
  const { id: userId, email, role, mustChangePassword } = session.user
  return { by: 'session', key: `u:${userId}`, email, role, userId, mustChangePassword, sessionId }
}

async function withToken(token: string, accounts: Accounts): Promise<Principal | undefined> {
  const holder = await accounts.verifyToken(token)
  if (!holder) return undefined
  const { userId, email, role } = holder
  return { by: 'token', key: `u:${userId}`, email, role, userId, mustChangePassword: false }
}

import { json, Nullable, noContent, problem, type Route, route, Text } from '@tailwater/http'
import { Type } from 'typebox'
import type { Accounts } from '../accounts/accounts.ts'
import { MAX_PASSWORD_LENGTH } from '../accounts/password.ts'
import { csrfToken } from '../accounts/session.ts'
import type { User } from '../accounts/user.ts'
import { sessionCookie, setSessionCookie } from '../cookie.ts'
import { refuseCrossSite } from '../cross_site.ts'
import { authenticate, guard, notStored, principalOf } from '../guard.ts'
import { type Desk, SECURITY } from './desk.ts'

const Credentials = Type.Object({ email: Text(254), password: Text(MAX_PASSWORD_LENGTH) })
const Me = Type.Object({
  user: Type.Object({ email: Type.String(), role: Type.String(), mustChangePassword: Type.Boolean() }),
  csrf: Nullable(Type.String({ description: 'Send it along with every change, in the header x-tailwater-csrf.' })),
})
const tags = ['auth']
/** A body of the longest address and password fits ten times. */
const BODY_LIMIT = 8_192

/** Who is calling; there is always somebody, if only by `authorize`. */
export function meRoute({ mount, reads, authenticator }: Desk): Route {
  return route({
    method: 'GET',
    path: `${mount}/api/auth/me`,
    id: 'dashboardMe',
    summary: 'Who is logged in',
    tags,
    security: SECURITY,
    schema: { response: { 200: Me } },
    use: [notStored, authenticate(authenticator), ...reads, guard({ oneTimePassword: true })],
    handler({ exchange }) {
      const { sessionId, email, role, mustChangePassword } = principalOf(exchange)!
      return meReply({ email, role, mustChangePassword }, sessionId)
    },
  })
}

/** Logging in and out, tokens, and the password: only with accounts of our own. */
export function accountRoutes(desk: Desk, accounts: Accounts): Route[] {
  return [
    loginRoute(desk, accounts),
    logoutRoute(desk, accounts),
    passwordRoute(desk, accounts),
    tokenRoute(desk, accounts),
    revokeRoute(desk, accounts),
  ]
}

function loginRoute({ mount, attempts, options }: Desk, accounts: Accounts): Route {
  return route({
    method: 'POST',
    path: `${mount}/api/auth/login`,
    id: 'dashboardLogin',
    summary: 'Log in a browser',
    description: 'Opens a session and sets its cookie.',
    tags,
    schema: { body: Credentials, response: { 200: Me } },
    bodyLimit: BODY_LIMIT,
    use: [notStored, sameSite, ...attempts],
    async handler({ body, exchange }) {
      const user = await verified(accounts, body)
      const before = sessionCookie(exchange)
      if (before !== undefined) await accounts.endSession(before)
      const { id, expiresAt } = await accounts.openSession(user)
      const reply = meReply(user, id)
      return {
        ...reply,
        headers: { ...reply.headers, 'set-cookie': setSessionCookie(exchange, id, expiresAt - options.clock.now()) },
      }
    },
  })
}

function logoutRoute({ mount, authenticator }: Desk, accounts: Accounts): Route {
  return route({
    method: 'POST',
    path: `${mount}/api/auth/logout`,
    id: 'dashboardLogout',
    summary: 'Log out',
    tags,
    security: SECURITY,
    schema: { response: { 204: undefined } },
    use: [notStored, authenticate(authenticator), guard({ oneTimePassword: true })],
    async handler({ exchange }) {
      const { sessionId } = principalOf(exchange)!
      if (sessionId !== undefined) await accounts.endSession(sessionId)
      return noContent({ 'set-cookie': setSessionCookie(exchange, undefined, 0) })
    },
  })
}

function passwordRoute({ mount, attempts, authenticator }: Desk, accounts: Accounts): Route {
  return route({
    method: 'POST',
    path: `${mount}/api/auth/password`,
    id: 'dashboardChangePassword',
    summary: 'Change your password',
    description: 'Ends your other sessions and revokes your tokens.',
    tags,
    security: SECURITY,
    schema: {
      body: Type.Object({ current: Text(MAX_PASSWORD_LENGTH), next: Text(MAX_PASSWORD_LENGTH) }),
      response: { 204: undefined },
    },
    bodyLimit: BODY_LIMIT,
    use: [notStored, authenticate(authenticator), ...attempts, guard({ oneTimePassword: true })],
    async handler({ body, exchange }) {
      const { userId, sessionId } = principalOf(exchange)!
      if (userId === undefined) throw problem(403, 'E_FORBIDDEN', 'Your password is not kept here.')
      await accounts.changePassword(userId, body.current, body.next, { keep: sessionId })
      return noContent()
    },
  })
}

function tokenRoute({ mount, attempts }: Desk, accounts: Accounts): Route {
  return route({
    method: 'POST',
    path: `${mount}/api/auth/token`,
    id: 'dashboardToken',
    summary: 'Get a Bearer token for 24 hours',
    tags,
    schema: {
      body: Credentials,
      response: { 200: Type.Object({ token: Type.String(), expiresAt: Type.String({ format: 'date-time' }) }) },
    },
    bodyLimit: BODY_LIMIT,
    use: [notStored, sameSite, ...attempts],
    async handler({ body }) {
      const { token, expiresAt } = await accounts.issueToken(await verified(accounts, body))
      return { token, expiresAt: new Date(expiresAt).toISOString() }
    },
  })
}

function revokeRoute({ mount, authenticator }: Desk, accounts: Accounts): Route {
  return route({
    method: 'POST',
    path: `${mount}/api/auth/revoke`,
    id: 'dashboardRevoke',
    summary: 'Revoke a token',
    description: 'Other processes refuse it within two seconds.',
    tags,
    security: SECURITY,
    schema: {
      body: Type.Object({ token: Text(8_192) }),
      response: { 200: Type.Object({ revoked: Type.Boolean() }) },
    },
    bodyLimit: 2 * BODY_LIMIT,
    use: [notStored, authenticate(authenticator), guard()],
    handler: async ({ body }) => ({ revoked: await accounts.revokeToken(body.token) }),
  })
}

/** Logging somebody in from another site would let their doings be watched. */
const sameSite = { name: 'dashboard same site', before: refuseCrossSite }

async function verified(accounts: Accounts, { email, password }: { email: string; password: string }): Promise<User> {
  const user = await accounts.verifyPassword(email, password)
  if (!user) throw problem(401, 'E_CREDENTIALS', 'The e-mail address or the password is not right.')
  return user
}

function meReply(
  { email, role, mustChangePassword }: Pick<User, 'email' | 'mustChangePassword'> & { role: string },
  sessionId: string | undefined,
) {
  return json({
    user: { email, role, mustChangePassword },
    csrf: sessionId === undefined ? null : csrfToken(sessionId),
  })
}

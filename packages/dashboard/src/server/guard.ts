import { type Exchange, type Middleware, problem, unauthenticated } from '@tailwater/http'
import { passwordChangeRequired } from './accounts/accounts.ts'
import { refuseCrossSite, requireCsrfToken } from './cross_site.ts'
import type { Authenticator, Principal } from './principal.ts'

const principalKey = Symbol('tailwater.dashboard.principal')

/** Who is calling; undefined for a stranger, and before `authenticate` ran. */
export function principalOf(exchange: Exchange): Principal | undefined {
  return exchange.state.get(principalKey) as Principal | undefined
}

/** Finds out who is calling, and lets everybody pass: limits that come next count a stranger by address. */
export function authenticate(authenticator: Authenticator): Middleware {
  return {
    name: 'dashboard authenticate',
    async before(exchange) {
      const principal = await authenticator(exchange)
      if (principal) exchange.state.set(principalKey, principal)
    },
  }
}

/**
 * Lets only those in who are known, and changes only from our own page.
 *
 * @param options.oneTimePassword true for what may be done before the one-time password is changed
 * @throws HttpProblem 401 E_UNAUTHENTICATED, 403 E_CSRF, 403 E_PASSWORD_CHANGE_REQUIRED from `before`
 */
export function guard(options: { oneTimePassword?: boolean } = {}): Middleware {
  return {
    name: 'dashboard guard',
    before(exchange) {
      const principal = principalOf(exchange)
      if (!principal) throw unauthenticated("Log in, or send an administrator's Bearer token.")
      if (exchange.method !== 'GET' && exchange.method !== 'HEAD' && principal.by !== 'token') {
        refuseCrossSite(exchange)
        if (principal.sessionId !== undefined) requireCsrfToken(exchange, principal.sessionId)
      }
      if (principal.mustChangePassword && !options.oneTimePassword) throw passwordChangeRequired()
    },
  }
}

/** Roles that may change what they see; every other one may look. */
const CHANGING_ROLES: readonly string[] = ['administrator']

/** Lets only those pass who may change things; comes after `guard`. @throws HttpProblem 403 E_FORBIDDEN from `before` */
export const mayChange: Middleware = {
  name: 'dashboard may change',
  before(exchange) {
    const { role } = principalOf(exchange)!
    if (CHANGING_ROLES.includes(role)) return
    throw problem(403, 'E_FORBIDDEN', `The role '${role}' may look at this, and not change it.`)
  },
}

/** Keeps replies out of every cache: they are for one person, now. */
export const notStored: Middleware = {
  name: 'dashboard not stored',
  before(exchange) {
    exchange.replyHeaders['cache-control'] = 'no-store'
  },
}

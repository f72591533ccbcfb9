import { bearerToken, type Exchange, Id, type Middleware, problem, unauthenticated } from '@tailwater/http'
import { Type } from 'typebox'

/** Who is calling: a merchant, bound to its own data, or an administrator of the whole house. */
export type Caller = { kind: 'merchant'; merchantId: number; keyId: number } | { kind: 'admin'; id: string }

/** Finds out who a bearer token stands for; undefined when it is not, or no longer, good. */
export type IdentifyCaller = (token: string) => Promise<Caller | undefined>

/** The steps that let callers in. */
export interface Gate {
  /** Refuses whoever does not say who they are. */
  readonly required: Middleware
  /** Lets anybody in; a token that is given must be good. */
  readonly optional: Middleware
}

const CALLER = Symbol('caller')

/** Builds the gate that stands before the merchant's routes. */
export function createGate(identify: IdentifyCaller): Gate {
  async function admit(exchange: Exchange): Promise<void> {
    const token = bearerToken(exchange.headers)
    const caller = token === undefined ? undefined : await identify(token)
    if (!caller) throw unauthenticated('The Bearer token is not, or no longer, good.')
    exchange.state.set(CALLER, caller)
  }
  return {
    required: {
      name: 'caller',
      before(exchange) {
        if (exchange.headers['authorization'] === undefined) throw unauthenticated()
        return admit(exchange)
      },
    },
    optional: {
      name: 'caller if any',
      before(exchange) {
        if (exchange.headers['authorization'] !== undefined) return admit(exchange)
      },
    },
  }
}

/** Who was let in; undefined for a stranger at an open gate. */
export function callerOf(exchange: Exchange): Caller | undefined {
  return exchange.state.get(CALLER) as Caller | undefined
}

/** `?merchant=`, by which administrators name whose data they mean. */
export const ScopeQuery = {
  merchant: Type.Optional({
    ...Id,
    description: 'For administrators: whose data is meant. Merchants only see their own.',
  }),
}

/** Whose data a request may touch: one merchant's, or everybody's. */
export type Scope = number | null

/** No merchant has this id, so nothing is found in its name. */
const NOBODY = 0

/**
 * Whose data a request is about.
 *
 * A merchant that asks for another's is answered as if that other had nothing, so that ids tell it nothing.
 */
export function scopeOf(exchange: Exchange, merchant: number | undefined): Scope {
  const caller = callerOf(exchange)
  if (!caller) return NOBODY
  if (caller.kind === 'admin') return merchant ?? null
  return merchant === undefined || merchant === caller.merchantId ? caller.merchantId : NOBODY
}

/** The same, where having nothing would be told as a figure. @throws E_NOT_FOUND for somebody else's */
export function knownScopeOf(exchange: Exchange, merchant: number | undefined): Scope {
  const scope = scopeOf(exchange, merchant)
  if (scope === NOBODY) throw problem(404, 'E_NOT_FOUND', `There is no merchant ${merchant}.`)
  return scope
}

/**
 * The merchant in whose name something is made.
 * @throws E_MERCHANT_REQUIRED when an administrator does not name one, E_NOT_FOUND for somebody else's
 */
export function ownerOf(exchange: Exchange, merchant: number | undefined): number {
  const scope = scopeOf(exchange, merchant)
  if (scope === null)
    throw problem(422, 'E_MERCHANT_REQUIRED', 'Name the merchant: ?merchant=<id>.', {
      errors: [{ path: '/query/merchant', message: 'is required of administrators', code: 'required' }],
    })
  if (scope === NOBODY) throw problem(404, 'E_NOT_FOUND', `There is no merchant ${merchant}.`)
  return scope
}

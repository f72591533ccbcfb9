import { type Clock, isUuid, type Keyring, newId } from '@tailwater/core'
import type { Queryable } from '@tailwater/postgres'
import { errors, jwtVerify, SignJWT } from 'jose'
import type { AccountStatements } from './statements.ts'
import type { Role, User } from './user.ts'

/** Whoever bears a valid token. */
export interface TokenHolder {
  userId: string
  email: string
  role: Role
  /** The token's jti. */
  tokenId: string
}

/** Signed tokens for machines, valid for a day, each of which can be revoked. */
export interface Tokens {
  issue(user: User): Promise<{ token: string; expiresAt: number }>
  /** Who a token belongs to, or undefined when it is not ours, expired, revoked, or its user is disabled. */
  verify(token: string): Promise<TokenHolder | undefined>
  /** True when the token was valid until now. */
  revoke(token: string): Promise<boolean>
  /** Forgets what was looked up, so that the next `verify` asks the database. */
  forget(): void
}

/** Its own audience: a merchant's token is never an administrator's, although one secret stands behind both. */
const AUDIENCE = 'tailwater-admin'
const ISSUER = 'tailwater'
const LIFETIME_MS = 86_400_000
/**
 * Milliseconds for which a found token is believed without asking the database again, so that a busy client costs no look-up
 * a request. Revoking is immediate in the process that revokes, and takes this long in the others.
 */
const BELIEVE_MS = 2_000
/** Tokens believed at once. */
const MAX_BELIEVED = 1_000

/** Issues and checks tokens, with one row each. */
export function createTokens(
  database: Queryable,
  statements: AccountStatements,
  keyring: Keyring,
  clock: Clock,
): Tokens {
  const believed = new Map<string, { holder: TokenHolder; until: number }>()

  async function jwtId(token: string): Promise<string | undefined> {
    for (const key of keyring.keys('admin-token')) {
      const id = await verifiedId(token, key, clock.now())
      if (id !== undefined) return id
    }
    return undefined
  }

  async function look(tokenId: string): Promise<TokenHolder | undefined> {
    const known = believed.get(tokenId)
    if (known && clock.elapsed() < known.until) return known.holder
    believed.delete(tokenId)
    const until = clock.elapsed() + BELIEVE_MS
    const { rows } = await database.query<User>(statements.token, [tokenId])
    if (!rows[0]) return undefined
    const holder = { userId: rows[0].id, email: rows[0].email, role: rows[0].role, tokenId }
    if (believed.size >= MAX_BELIEVED) believed.clear()
    believed.set(tokenId, { holder, until })
    return holder
  }

  return {
    async issue(user) {
      const now = Math.floor(clock.now() / 1_000) * 1_000
      const expiresAt = now + LIFETIME_MS
      const id = newId()
      await database.query(statements.addToken, [id, user.id, String(now), String(expiresAt)])
      const token = await new SignJWT()
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(user.id)
        .setJti(id)
        .setIssuedAt(now / 1_000)
        .setExpirationTime(expiresAt / 1_000)
        .sign(keyring.keys('admin-token')[0])
      return { token, expiresAt }
    },
    async verify(token) {
      const id = await jwtId(token)
      return id === undefined ? undefined : look(id)
    },
    async revoke(token) {
      const id = await jwtId(token)
      if (id === undefined) return false
      const { rows } = await database.query(statements.revokeToken, [id, String(clock.now())])
      believed.delete(id)
      return rows.length > 0
    },
    forget: () => believed.clear(),
  }
}

async function verifiedId(token: string, key: Uint8Array, now: number): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      audience: AUDIENCE,
      issuer: ISSUER,
      requiredClaims: ['exp', 'jti', 'sub'],
      currentDate: new Date(now),
    })
    return payload.jti !== undefined && isUuid(payload.jti) ? payload.jti : undefined
  } catch (error) {
    // A forged, foreign or expired token is an answer; anything else is a fault of ours.
    if (error instanceof errors.JOSEError) return undefined
    throw error
  }
}

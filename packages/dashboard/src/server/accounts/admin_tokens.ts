import { type Clock, hasCode, isUuid, type Keyring } from '@tailwater/core'
import { createTokens } from '@tailwater/http'
import type { Queryable } from '@tailwater/postgres'
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
export interface AdminTokens {
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
/**
 * Milliseconds for which a found token is believed without asking the database again, so that a busy client costs no look-up
 * a request. Revoking is immediate in the process that revokes, and takes this long in the others.
 */
const BELIEVE_MS = 2_000
/** Tokens believed at once. */
const MAX_BELIEVED = 1_000

/** Issues and checks tokens, with one row each. */
export function createAdminTokens(
  database: Queryable,
  statements: AccountStatements,
  keyring: Keyring,
  clock: Clock,
): AdminTokens {
  const tokens = createTokens({ keyring, issuer: 'tailwater', clock })
  const believed = new Map<string, { holder: TokenHolder; until: number }>()

  /** Undefined for a forged, foreign or expired token: that is an answer, and no fault. */
  async function tokenId(token: string): Promise<string | undefined> {
    try {
      const { id } = await tokens.verify(token, { audience: AUDIENCE })
      return isUuid(id) ? id : undefined
    } catch (error) {
      if (hasCode(error, 'E_TOKEN_INVALID') || hasCode(error, 'E_TOKEN_EXPIRED')) return undefined
      throw error
    }
  }

  async function look(id: string): Promise<TokenHolder | undefined> {
    const known = believed.get(id)
    if (known && clock.elapsed() < known.until) return known.holder
    believed.delete(id)
    const until = clock.elapsed() + BELIEVE_MS
    const { rows } = await database.query<User>(statements.token, [id])
    if (!rows[0]) return undefined
    const holder = { userId: rows[0].id, email: rows[0].email, role: rows[0].role, tokenId: id }
    if (believed.size >= MAX_BELIEVED) believed.clear()
    believed.set(id, { holder, until })
    return holder
  }

  return {
    async issue(user) {
      const { token, id, expiresAt } = await tokens.issue({ subject: user.id, audience: AUDIENCE, ttl: '24h' })
      await database.query(statements.addToken, [id, user.id, String(clock.now()), String(expiresAt)])
      return { token, expiresAt }
    },
    async verify(token) {
      const id = await tokenId(token)
      return id === undefined ? undefined : look(id)
    },
    async revoke(token) {
      const id = await tokenId(token)
      if (id === undefined) return false
      const { rows } = await database.query(statements.revokeToken, [id, String(clock.now())])
      believed.delete(id)
      return rows.length > 0
    },
    forget: () => believed.clear(),
  }
}

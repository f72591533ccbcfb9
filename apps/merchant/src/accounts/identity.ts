import { type Clock, hasCode, type Keyring } from '@tailwater/core'
import { createTokens, type IssuedToken } from '@tailwater/http'
import type { Database } from '@tailwater/postgres'
import type { AccountStatements } from './account_statements.ts'
import { type ActiveApiKey, findApiKey, isApiKey } from './api_key.ts'
import type { Caller } from './caller.ts'

const AUDIENCE = 'merchant'

/** Hours that a token is good for. */
const TOKEN_TTL = '24h'

/** What identities are checked against. */
export interface IdentityParts {
  database: Database
  statements: AccountStatements
  keyring: Keyring
  clock: Clock
  /** Whether a token is a platform administrator's. */
  verifyAdmin(token: string): Promise<{ id: string } | undefined>
}

/** Tells callers by their tokens, and gives merchants tokens for their keys. */
export interface Identity {
  identify(token: string): Promise<Caller | undefined>
  /** A token to use in place of a key for a day. It dies with the key it was made from. */
  issueToken(key: ActiveApiKey): Promise<IssuedToken>
}

/** Builds the check of API keys, merchants' tokens and administrators' tokens. */
export function createIdentity({ database, statements, keyring, clock, verifyAdmin }: IdentityParts): Identity {
  const tokens = createTokens({ keyring, issuer: 'tailwater', clock })

  /** The key that a merchant's token was made from; undefined when the token is none, or the key was revoked. */
  async function keyOfToken(token: string): Promise<ActiveApiKey | undefined> {
    try {
      const { subject, claims } = await tokens.verify(token, { audience: AUDIENCE })
      const { rows } = await database.query<ActiveApiKey>(statements.keyById, [claims['key'], subject])
      return rows[0]
    } catch (error) {
      // Perhaps it is an administrator's: the audience tells them apart.
      if (hasCode(error, 'E_TOKEN_INVALID')) return undefined
      throw error
    }
  }

  async function findAdmin(token: string): Promise<Caller | undefined> {
    const admin = await verifyAdmin(token)
    return admin && { kind: 'admin', id: admin.id }
  }

  return {
    async identify(token) {
      const key = isApiKey(token) ? await findApiKey(database, statements, token) : await keyOfToken(token)
      if (key) return { kind: 'merchant', merchantId: key.merchantId, keyId: key.id }
      return isApiKey(token) ? undefined : findAdmin(token)
    },
    issueToken: (key) =>
      tokens.issue({ subject: String(key.merchantId), audience: AUDIENCE, ttl: TOKEN_TTL, claims: { key: key.id } }),
  }
}

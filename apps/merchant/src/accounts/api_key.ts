import { createHash, randomBytes } from 'node:crypto'
import type { Database } from '@tailwater/postgres'
import type { AccountStatements } from './account_statements.ts'

/** Says at a glance, and to secret scanners, what a leaked key opens. */
const KEY_PREFIX = 'tw_live_'

/**
 * An API key's form: 32 random bytes in base64url.
 *
 * With that much entropy one round of SHA-256 is enough to store it by: there is no dictionary to try, and
 * a slow hash would cost every request.
 */
const KEY_FORM = /^tw_live_[A-Za-z0-9_-]{43}$/

/** A key as it is shown, once, to the merchant it was made for. */
export interface NewApiKey {
  id: number
  name: string
  key: string
  createdAt: Date
}

/** A key that was accepted. */
export interface ActiveApiKey {
  id: number
  merchantId: number
}

/** Whether a bearer token is meant to be an API key. */
export function isApiKey(token: string): boolean {
  return token.startsWith(KEY_PREFIX)
}

/** What is stored of a key. */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

/** Makes a key for a merchant; undefined when there is no such merchant. Only its hash is kept: it cannot be shown again. */
export async function createApiKey(
  database: Database,
  statements: AccountStatements,
  merchantId: number,
  name: string,
): Promise<NewApiKey | undefined> {
  const key = KEY_PREFIX + randomBytes(32).toString('base64url')
  const { rows } = await database.query<Omit<NewApiKey, 'key'>>(statements.insertKey, [
    merchantId,
    name,
    hashApiKey(key),
  ])
  return rows[0] && { ...rows[0], key }
}

/** The merchant's key behind a token, or undefined when there is none or it was revoked. */
export async function findApiKey(
  database: Database,
  statements: AccountStatements,
  token: string,
): Promise<ActiveApiKey | undefined> {
  if (!KEY_FORM.test(token)) return undefined
  const { rows } = await database.query<ActiveApiKey>(statements.keyByHash, [hashApiKey(token)])
  return rows[0]
}

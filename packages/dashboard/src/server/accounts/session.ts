import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { Clock } from '@tailwater/core'
import type { Queryable } from '@tailwater/postgres'
import type { AccountStatements } from './statements.ts'
import type { User } from './user.ts'

/** A browser that is logged in. */
export interface Session {
  user: User
  /** Milliseconds since the Unix epoch after which it is over, used or not. */
  expiresAt: number
}

/** Sessions of browsers, by the secret in their cookie. */
export interface Sessions {
  /** Opens a session; `id` is the cookie's value and is kept nowhere. */
  open(user: User): Promise<{ id: string; expiresAt: number }>
  /** The session of a cookie's value, unless it is over, was not used for a day, or its user is disabled. */
  find(id: string): Promise<Session | undefined>
  end(id: string): Promise<void>
}

/** Longest life of a session, in milliseconds: a week. */
const LIFETIME_MS = 7 * 86_400_000
/** Unused for so long, in milliseconds, it is over: a day. */
const IDLE_MS = 86_400_000
/** How stale "last seen" may be, in milliseconds, before it is written again: reading must not write each time. */
const TOUCH_MS = 60_000

/** Keeps sessions in the database. */
export function createSessions(database: Queryable, statements: AccountStatements, clock: Clock): Sessions {
  return {
    async open(user) {
      const id = randomBytes(32).toString('base64url')
      const now = clock.now()
      const expiresAt = now + LIFETIME_MS
      await database.query(statements.addSession, [sessionHash(id), user.id, String(now), String(expiresAt)])
      return { id, expiresAt }
    },
    async find(id) {
      const now = clock.now()
      const { rows } = await database.query<User & { lastSeenAt: number; expiresAt: number }>(statements.session, [
        sessionHash(id),
        String(now),
        String(now - IDLE_MS),
      ])
      if (!rows[0]) return undefined
      const { lastSeenAt, expiresAt, ...user } = rows[0]
      if (now - lastSeenAt > TOUCH_MS) await database.query(statements.touchSession, [sessionHash(id), String(now)])
      return { user, expiresAt }
    },
    async end(id) {
      await database.query(statements.endSession, [sessionHash(id)])
    },
  }
}

/** Key of a session in its table, in hexadecimal. */
export function sessionHash(id: string): string {
  return createHash('sha256').update(id).digest('hex')
}

/**
 * The value that a page must send along with every change.
 *
 * Derived from the session's secret, which only the browser's cookie holds: another site can neither read nor guess it, and neither can who reads the table.
 */
export function csrfToken(sessionId: string): string {
  return createHmac('sha256', sessionId).update('csrf').digest('base64url')
}

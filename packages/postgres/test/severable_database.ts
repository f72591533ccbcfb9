import type { Database, Session } from '@tailwater/postgres'

/** A database between which and its user the cable can be touched. */
export interface Severable {
  database: Database
  /** Sessions end, and statements fail before they are sent. */
  cut(): Promise<void>
  heal(): void
  /** Statements are never answered. */
  freeze(): void
}

/** Puts a cable before a database. */
export function severable(database: Database): Severable {
  const sessions = new Set<Session>()
  let isCut = false
  let isFrozen = false

  const refusing =
    (member: (...all: never[]) => unknown) =>
    (...given: never[]) =>
      isFrozen
        ? new Promise(() => {})
        : isCut
          ? Promise.reject(new Error('the connection is cut'))
          : member.apply(database, given)

  const wrapped = new Proxy(database, {
    get(target, name) {
      const member = target[name as keyof Database]
      if (typeof member !== 'function') return member
      if (name !== 'session') return refusing(member as (...all: never[]) => unknown)
      return refusing(async (...given) => {
        const session = await target.session(...given)
        sessions.add(session)
        return session
      })
    },
  })
  return {
    database: wrapped,
    async cut() {
      isCut = true
      await Promise.all([...sessions].map((session) => session.release()))
      sessions.clear()
    },
    heal() {
      isCut = false
    },
    freeze() {
      isFrozen = true
    },
  }
}

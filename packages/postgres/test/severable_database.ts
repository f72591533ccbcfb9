import type { Database, Session } from '@tailwater/postgres'

/** A database whose connections can be cut and healed: its sessions end, and its statements fail before they are sent. */
export function severable(database: Database): { database: Database; cut(): Promise<void>; heal(): void } {
  const sessions = new Set<Session>()
  let isCut = false

  const refusing =
    (member: (...all: never[]) => unknown) =>
    (...given: never[]) =>
      isCut ? Promise.reject(new Error('the connection is cut')) : member.apply(database, given)

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
  }
}

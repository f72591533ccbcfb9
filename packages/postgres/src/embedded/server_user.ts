import { existsSync, readFileSync, type Stats, statSync } from 'node:fs'
import { dirname, parse } from 'node:path'
import { embeddedError } from './errors.ts'

/** Whom the server runs as, when not as this process. */
export interface ServerUser {
  uid: number
  gid: number
  /**
   * A folder above the data or the programs that this user may not pass through. The server is then
   * given the right to: `setpriv` starts it with CAP_DAC_READ_SEARCH, and no other privilege.
   */
  closed: string | undefined
}

/** Users that exist for such things, the better first. */
const UNPRIVILEGED = ['postgres', '_postgres', 'nobody']

/** The id of `nobody` on systems without a user list. */
const OVERFLOW_ID = 65_534

/** Of util-linux; busybox's of the same name cannot change users. */
export const SETPRIV = '/usr/bin/setpriv'

/**
 * Chooses whom the server runs as; undefined means as this process does. PostgreSQL refuses to run as root: root starts
 * it as the owner of the data, and new data belongs to `postgres` or `nobody`.
 *
 * @param pgdata the server's data folder, which need not exist
 * @param program what will be run
 * @throws E_EMBEDDED_FOLDER_OWNER, E_EMBEDDED_FOLDER_UNREACHABLE
 */
export function chooseServerUser(pgdata: string, program: string): ServerUser | undefined {
  const uid = process.getuid?.()
  if (uid === undefined) return undefined
  const owner = statSync(pgdata, { throwIfNoEntry: false })
  if (uid !== 0) {
    if (owner && owner.uid !== uid)
      throw embeddedError(
        'E_EMBEDDED_FOLDER_OWNER',
        `${pgdata} belongs to user ${owner.uid} and this process is user ${uid}: run as that user, or change the owner (chown -R ${uid} ${dirname(pgdata)})`,
      )
    return undefined
  }
  const user = owner && owner.uid !== 0 ? { uid: owner.uid, gid: owner.gid } : unprivilegedUser()
  const closed = closedParent(pgdata, user) ?? closedParent(program, user)
  if (closed && !existsSync(SETPRIV)) throw unreachable(closed, user)
  return { ...user, closed }
}

/** The error of a folder that keeps the server from its data or its programs. */
export function unreachable(closed: string, { uid }: { uid: number }): Error {
  return embeddedError(
    'E_EMBEDDED_FOLDER_UNREACHABLE',
    `PostgreSQL does not run as root, and user ${uid} may not pass through ${closed}: chmod o+x ${closed}, or run as an ordinary user`,
  )
}

function unprivilegedUser(): { uid: number; gid: number } {
  const users = readUsers()
  for (const name of UNPRIVILEGED) {
    const user = users.get(name)
    if (user) return user
  }
  return { uid: OVERFLOW_ID, gid: OVERFLOW_ID }
}

function readUsers(): Map<string, { uid: number; gid: number }> {
  let lines: string
  try {
    lines = readFileSync('/etc/passwd', 'utf8')
  } catch {
    // No list, no names: the overflow id stands in.
    lines = ''
  }
  return new Map(
    lines.split('\n').map((line) => {
      const [name = '', , uid, gid] = line.split(':')
      return [name, { uid: Number(uid), gid: Number(gid) }]
    }),
  )
}

/** The first folder above `path` that the user may not pass through, if there is one. */
function closedParent(path: string, user: { uid: number; gid: number }): string | undefined {
  const { root } = parse(path)
  const parents: string[] = []
  for (let dir = dirname(path); dir !== root; dir = dirname(dir)) parents.unshift(dir)
  return parents.find((dir) => {
    const stats = statSync(dir, { throwIfNoEntry: false })
    return stats !== undefined && !mayPass(stats, user)
  })
}

function mayPass({ mode, uid, gid }: Stats, user: { uid: number; gid: number }): boolean {
  if (uid === user.uid) return (mode & 0o100) !== 0
  if (gid === user.gid) return (mode & 0o010) !== 0
  return (mode & 0o001) !== 0
}

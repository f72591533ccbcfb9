import { type Clock, processIdentity } from '@tailwater/core'
import { Nullable, type Route, route } from '@tailwater/http'
import type { Database } from '@tailwater/postgres'
import { Type } from 'typebox'
import { authenticate, guard, notStored } from '../guard.ts'
import { type Desk, SECURITY } from './desk.ts'

const Pool = Type.Object({
  open: Type.Integer(),
  idle: Type.Integer(),
  waiting: Type.Integer(),
  min: Type.Integer(),
  max: Type.Integer(),
})
const Status = Type.Object({
  version: Type.String({ description: 'Of Tailwater.' }),
  uptimeSeconds: Type.Number({ description: 'Of this process.' }),
  node: Type.String(),
  process: Type.String({ description: 'host:pid:nonce' }),
  database: Type.Object({
    version: Nullable(Type.String({ description: 'Null when the server cannot be asked.' })),
    pool: Nullable(Pool),
  }),
})

/** How long the server's version is believed, in milliseconds: it changes with a restart of PostgreSQL. */
const VERSION_MS = 60_000

/** Which process is being looked at, and how it stands. */
export function statusRoute({ mount, options, reads, authenticator }: Desk): Route {
  const { database, version, clock } = options
  const databaseVersion = database ? rememberedVersion(database, clock) : async () => null
  return route({
    method: 'GET',
    path: `${mount}/api/status`,
    id: 'dashboardStatus',
    summary: 'Version, uptime, process and database',
    tags: ['operations'],
    security: SECURITY,
    schema: { response: { 200: Status } },
    use: [notStored, authenticate(authenticator), ...reads, guard()],
    async handler() {
      return {
        version,
        uptimeSeconds: Math.round(process.uptime()),
        node: process.version,
        process: processIdentity,
        database: { version: await databaseVersion(), pool: database?.stats().primary ?? null },
      }
    },
  })
}

function rememberedVersion(database: Database, clock: Clock): () => Promise<string | null> {
  let known: { version: string; until: number } | undefined
  return async () => {
    if (known && clock.elapsed() < known.until) return known.version
    try {
      const { rows } = await database.query<{ version: string }>("SELECT current_setting('server_version') AS version")
      // Debian's servers add their package's version.
      const version = rows[0]!.version.split(' ')[0]!
      known = { version, until: clock.elapsed() + VERSION_MS }
      return version
    } catch {
      // A status that fails with the database would hide what it is asked for: null says that it is away.
      return null
    }
  }
}

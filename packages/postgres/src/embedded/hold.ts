import pg from 'pg'
import { errnoOf } from './errors.ts'
import { ADMIN_ROLE } from './initialise.ts'
import { LOOPBACK } from './port.ts'

/**
 * One process's hold on a running server: a connection with a shared advisory lock.
 *
 * The server itself thus counts its holders. The lock goes with its process however that ends, kill -9
 * included, so no count is ever wrong, and no file has to be believed. Whoever lets go asks for the lock alone: the last
 * one gets it, and then nobody can take hold of a server that is about to be stopped. The connection's end is
 * also how a crash is noticed, at once and without polling.
 */
export interface Hold {
  readonly server: HeldServer
  readonly port: number
  /** Resolves when the connection is gone, for whatever reason. */
  readonly lost: Promise<void>
  /** Gives the share up; true when nobody else has one, and until `close` nobody can. */
  becomeLast(): Promise<boolean>
  /** Takes the share again after `becomeLast` was denied. */
  share(): Promise<boolean>
  run(text: string): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

/** What a server says of itself. */
export interface HeldServer {
  dataDirectory: string
  version: string
  /** The mark of the settings it was started with. */
  mark: string
}

/** Why a server could not be held. */
export type HoldRefusal = 'not-listening' | 'not-ready' | 'wrong-password' | 'being-stopped'

/** Any number that nobody else uses: 'TWHOLD' in ASCII. */
const HOLD_KEY = '92697068915780'

/** Milliseconds to be let in: a healthy server takes 3. */
const CONNECT_TIMEOUT = 3_000

/** Milliseconds for a statement: the longest makes a database, on a slow disk. */
const QUERY_TIMEOUT = 30_000

const ASK = `
  SELECT pg_try_advisory_lock_shared(${HOLD_KEY}) AS held, current_setting('data_directory') AS data_directory,
    split_part(current_setting('server_version'), ' ', 1) AS version, current_setting('tailwater.settings', true) AS mark`

/** Takes hold of the server on a port. */
export async function takeHold(port: number, password: string): Promise<Hold | HoldRefusal> {
  const client = new pg.Client({
    host: LOOPBACK,
    port,
    user: ADMIN_ROLE,
    password,
    database: 'postgres',
    ssl: false,
    application_name: 'tailwater supervisor',
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    query_timeout: QUERY_TIMEOUT,
    keepAlive: true,
    options: '-c idle_session_timeout=0 -c statement_timeout=0 -c client_min_messages=error',
  })
  const lost = new Promise<void>((resolve) => {
    client.once('end', resolve)
    client.on('error', () => resolve())
  })
  try {
    await client.connect()
    const [answer] = (await client.query(ASK)).rows as {
      held: boolean
      data_directory: string
      version: string
      mark: string | null
    }[]
    if (!answer?.held) {
      await client.end()
      return 'being-stopped'
    }
    // A supervisor does not keep its process alive.
    unref(client)
    return createHold(
      { client, lost, port },
      {
        dataDirectory: answer.data_directory,
        version: answer.version,
        mark: answer.mark ?? '',
      },
    )
  } catch (error) {
    void client.end().catch(() => {})
    return refusalOf(error)
  }
}

function createHold(
  { client, lost, port }: { client: pg.Client; lost: Promise<void>; port: number },
  server: HeldServer,
): Hold {
  const ask = async (text: string) => {
    const { rows } = await client.query<{ granted: boolean }>(text)
    return rows[0]?.granted === true
  }
  return {
    server,
    port,
    lost,
    becomeLast: async () => {
      await client.query(`SELECT pg_advisory_unlock_shared(${HOLD_KEY})`)
      return ask(`SELECT pg_try_advisory_lock(${HOLD_KEY}) AS granted`)
    },
    share: () => ask(`SELECT pg_try_advisory_lock_shared(${HOLD_KEY}) AS granted`),
    run: async (text) => (await client.query(text)).rows as Record<string, unknown>[],
    // A connection that the server has cut already is closed.
    close: () => client.end().catch(() => {}),
  }
}

/** `unref` is documented by pg, and missing in its types. */
function unref(client: pg.Client & { unref?: () => void }): void {
  client.unref?.()
}

function refusalOf(error: unknown): HoldRefusal {
  const code = errnoOf(error)
  if (code === '28P01' || code === '28000') return 'wrong-password'
  // A server that answers at all is alive, whatever its complaint: it starts up, recovers or shuts down, or it is full.
  return error instanceof pg.DatabaseError ? 'not-ready' : 'not-listening'
}

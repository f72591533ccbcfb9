import { type Clock, sleep } from '@tailwater/core'
import pg from 'pg'
import { errnoOf } from './errors.ts'
import { ADMIN_ROLE } from './initialise.ts'
import { beginningOf, isAlive } from './os_process.ts'
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
  /**
   * Gives the share up; true when nobody else has one, and until `close` nobody can.
   * A share whose process is dead does not count; the server takes a moment to notice that it is.
   */
  becomeLast(clock: Clock): Promise<boolean>
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

/** How supervisors' connections are known, followed by the pid and the beginning of their process. */
const SUPERVISOR = 'tailwater supervisor'

/** Any number that nobody else uses: 'TWHOLD' in ASCII. */
const HOLD_KEY = '92697068915780'

/** Milliseconds to be let in: a healthy server takes 3. */
const CONNECT_TIMEOUT = 3_000

/** Milliseconds for the server to notice that a process is gone. */
const DEAD_SHARE_PATIENCE = 2_000

/** Milliseconds between two looks at whether it has. */
const LOOK_AGAIN = 10

/** Milliseconds for a statement: the longest makes a database, on a slow disk. */
const QUERY_TIMEOUT = 30_000

const ASK = `
  SELECT pg_try_advisory_lock_shared(${HOLD_KEY}) AS held, current_setting('data_directory') AS data_directory,
    split_part(current_setting('server_version'), ' ', 1) AS version, current_setting('tailwater.settings', true) AS mark`

/** An advisory lock's 64 bits are shown in two halves, the one without a third part (objsubid 1). */
const HOLDERS = `
  SELECT activity.application_name AS name
  FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
  WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid <> pg_backend_pid()
    AND (classid::bigint << 32 | objid::bigint) = ${HOLD_KEY}`

/** Takes hold of the server on a port. */
export async function takeHold(port: number, password: string): Promise<Hold | HoldRefusal> {
  const client = new pg.Client({
    host: LOOPBACK,
    port,
    user: ADMIN_ROLE,
    password,
    database: 'postgres',
    ssl: false,
    application_name: `${SUPERVISOR} ${process.pid} ${beginningOf(process.pid) ?? ''}`.trim(),
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
    becomeLast: async (clock) => {
      await client.query(`SELECT pg_advisory_unlock_shared(${HOLD_KEY})`)
      const until = clock.elapsed() + DEAD_SHARE_PATIENCE
      while (!(await ask(`SELECT pg_try_advisory_lock(${HOLD_KEY}) AS granted`))) {
        if (clock.elapsed() > until || !(await isHeldByDead(client))) return false
        await sleep(clock, LOOK_AGAIN)
      }
      return true
    },
    share: () => ask(`SELECT pg_try_advisory_lock_shared(${HOLD_KEY}) AS granted`),
    run: async (text) => (await client.query(text)).rows as Record<string, unknown>[],
    // A connection that the server has cut already is closed.
    close: () => client.end().catch(() => {}),
  }
}

/** Whether every share of others belongs to a process that is gone; true also when there is none any more. */
async function isHeldByDead(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ name: string }>(HOLDERS)
  return rows.every(({ name }) => {
    const [pid, beginning] = name.slice(SUPERVISOR.length + 1).split(' ')
    return !isAlive(Number(pid)) || (beginningOf(Number(pid)) ?? '') !== (beginning ?? '')
  })
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

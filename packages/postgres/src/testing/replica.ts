import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { sleep, systemClock } from '@tailwater/core'
import pg from 'pg'
import { writeOwned } from '../embedded/data_folder.ts'
import { keepAlive } from '../embedded/keep_alive.ts'
import type { ServerUser } from '../embedded/server_user.ts'
import { copyTree } from './copy_tree.ts'
import { startPrivateServer, type TestPostgres, type TestPostgresOptions } from './test_postgres.ts'

/** A streaming replica, read-only until it is promoted. */
export interface TestReplica extends TestPostgres {
  /** Stops applying what it receives: the lag of a busy replica, under control. */
  pauseReplay(): Promise<void>
  resumeReplay(): Promise<void>
  /** Resolves when everything committed on the primary until now is visible here. */
  catchUp(): Promise<void>
  /** Makes it a primary of its own. */
  promote(): Promise<void>
}

/** What a base backup leaves out, by pg_basebackup's own list: the state of the running server, and its log. */
const LEFT_OUT =
  /^(postmaster\.(pid|opts)|pg_internal\.init|(pg_wal|pg_replslot|pg_dynshmem|pg_notify|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans)\/.+|.*pgsql_tmp.*)$/

let slots = 0

/** Starts a replica of a server made by `startTestPostgres`. */
export async function startReplica(primary: TestPostgres, options: TestPostgresOptions = {}): Promise<TestReplica> {
  const slot = `replica_${process.pid}_${++slots}`
  const server = await startPrivateServer(options, (pgdata, user) => takeBackup(primary, { pgdata, slot, user }))
  const run = (text: string) => query(server.url, text)
  const close = async () => {
    await server.close()
    // The slot would make the primary keep its log for ever; a primary that is gone has none.
    await query(
      primary.url,
      `SELECT pg_drop_replication_slot('${slot}') FROM pg_replication_slots WHERE slot_name = '${slot}'`,
    ).catch(() => {})
  }
  return {
    get url() {
      return server.url
    },
    get port() {
      return server.port
    },
    get pid() {
      return server.pid
    },
    pgdata: server.pgdata,
    kill: (signal) => server.kill(signal),
    restart: () => server.restart(),
    close,
    pauseReplay: () => keepAlive(() => pause(server.url)),
    resumeReplay: async () => void (await run('SELECT pg_wal_replay_resume()::text')),
    catchUp: () => keepAlive(() => catchUp(primary.url, server.url)),
    promote: async () => void (await run('SELECT pg_promote(true)')),
  }
}

async function takeBackup(
  primary: TestPostgres,
  { pgdata, slot, user }: { pgdata: string; slot: string; user: ServerUser | undefined },
): Promise<void> {
  // One connection throughout: a backup ends with the session that began it.
  const client = new pg.Client({ connectionString: primary.url })
  await client.connect()
  try {
    await client.query('SELECT pg_create_physical_replication_slot($1, true)', [slot])
    await client.query('SELECT pg_backup_start($1, true)', [slot])
    copyTree(primary.pgdata, pgdata, user, (path) => !LEFT_OUT.test(path))
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
    writeOwned(join(pgdata, 'backup_label'), rows[0]!.labelfile, user)
    writeOwned(join(pgdata, 'standby.signal'), '', user)
    const { username, password } = new URL(primary.url)
    appendFileSync(
      join(pgdata, 'postgresql.auto.conf'),
      `primary_conninfo = 'host=127.0.0.1 port=${primary.port} user=${username} password=${password} sslmode=disable'\nprimary_slot_name = '${slot}'\n`,
    )
  } finally {
    await client.end()
  }
}

async function pause(url: string): Promise<void> {
  await query(url, 'SELECT pg_wal_replay_pause()::text')
  // The request is noted at once and heeded at the next record.
  while ((await query(url, 'SELECT pg_get_wal_replay_pause_state() AS state'))[0]?.['state'] !== 'paused')
    await sleep(systemClock, 2)
}

async function catchUp(primaryUrl: string, replicaUrl: string): Promise<void> {
  const [primary] = await query(primaryUrl, 'SELECT pg_current_wal_flush_lsn()::text AS lsn')
  const reached = `SELECT pg_last_wal_replay_lsn() >= '${primary?.['lsn']}'::pg_lsn AS reached`
  while ((await query(replicaUrl, reached))[0]?.['reached'] !== true) await sleep(systemClock, 5)
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(text)).rows
  } finally {
    await client.end()
  }
}

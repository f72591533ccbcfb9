import { systemClock } from '@tailwater/core'
import { jobsMigrations } from '@tailwater/jobs'
import { createDatabase, createMigrator, tailwaterMigrations } from '@tailwater/postgres'
import { startTestPostgres } from '@tailwater/postgres/testing'
import { startRedis, type TestRedis } from '@tailwater/redis/testing'
import type { JobStore } from './job_store.ts'

/** A server of a fault test that keeps jobs, and can be killed. */
export interface KilledStore {
  name: 'Redis' | 'PostgreSQL'
  store: JobStore
  /** SIGKILL, and up again; resolves to the milliseconds until it was. */
  killAndRestart(): Promise<number>
  stop(): Promise<void>
}

/** A Redis that writes each change to disk before it answers, unless told otherwise. */
export async function startKilledRedis(args: readonly string[] = []): Promise<KilledStore & { server: TestRedis }> {
  const server = await startRedis({ persist: true, args })
  return {
    name: 'Redis',
    server,
    store: { redis: { url: server.url } },
    killAndRestart: () => timed(() => server.restart()),
    stop: () => server.stop(),
  }
}

/** A PostgreSQL with the settings that it has by default: a commit is on the disk. */
export async function startKilledPostgres(): Promise<KilledStore> {
  const server = await startTestPostgres()
  const schema = 'tailwater'
  const database = createDatabase({ url: server.url, min: 0, max: 2 })
  await database.start()
  await createMigrator({ database, schema, modules: [tailwaterMigrations, jobsMigrations] }).run()
  await database.stop()
  return {
    name: 'PostgreSQL',
    store: { database: server.url, schema },
    killAndRestart: () =>
      timed(async () => {
        await server.kill('SIGKILL')
        await server.restart()
      }),
    stop: () => server.close(),
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const from = systemClock.elapsed()
  await work()
  return systemClock.elapsed() - from
}

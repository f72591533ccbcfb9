import { newId } from '@tailwater/core'
import { type ClaimedJob, type JobsBackend, jobsMigrations, type NewJob, type Turn } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { type Database, type Queryable, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema } from '@tailwater/postgres/testing'

/** Milliseconds of the lease of tests' workers. */
export const LEASE = 30_000

/** A schema of a test's own with a started backend on it. */
export async function openGround() {
  const { url, schema, database, close } = await createTestSchema({ modules: [tailwaterMigrations, jobsMigrations] })
  const backend = createPostgresBackend({ database, schema })
  await backend.start()
  const rows = async <Row>(text: string, values: readonly unknown[] = []) =>
    (await database.query<Row>(text.replaceAll('$schema', schema), values)).rows
  return {
    url,
    schema,
    database,
    backend,
    rows,
    async close() {
      await backend.stop()
      await close()
    },
  }
}

export type Ground = Awaited<ReturnType<typeof openGround>>

/** A job of which a test says only what matters to it. */
export function newJob(said: Partial<NewJob> = {}): NewJob {
  return { id: newId(), queue: 'mail', kind: 'send', payload: '{}', priority: 128, maxAttempts: 5, ...said }
}

export function takeTurn({ work }: JobsBackend, worker: string, said: Partial<Turn> = {}) {
  return work.turn({ worker, lease: LEASE, ends: [], wants: [], ...said })
}

export async function claim(backend: JobsBackend, worker: string, count = 1, queue = 'mail'): Promise<ClaimedJob[]> {
  return (await takeTurn(backend, worker, { wants: [{ queue, count }] })).claimed
}

/** How attempts ended well. */
export const completed = (jobs: readonly ClaimedJob[]) =>
  jobs.map(({ id, attempt }) => ({ id, attempt, outcome: 'completed' as const, result: undefined }))

/** Empties every table of the engine; quicker than a schema of its own for each clause. */
export async function emptyTables(database: Database | Queryable, schema: string): Promise<void> {
  const { rows } = await database.query<{ table: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS table FROM pg_tables WHERE schemaname = $1 AND tablename LIKE 'jobs%'`,
    [schema],
  )
  await database.query(`TRUNCATE ${rows.map(({ table }) => table).join(', ')}`)
}

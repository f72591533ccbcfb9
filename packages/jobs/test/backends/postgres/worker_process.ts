// A worker in a process of its own, to be killed: `node worker_process.ts URL SCHEMA NAME`. It writes a line for each job that it begins.
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createDatabase } from '@tailwater/postgres'

const [url, schema, worker] = process.argv.slice(2) as [string, string, string]
const database = createDatabase({ url, min: 1, max: 4 })
await database.start()
const backend = createPostgresBackend({ database, schema })
await backend.start()

let ends: { id: string; attempt: number; outcome: 'completed'; result: undefined }[] = []
for (;;) {
  const { claimed } = await backend.work.turn({ worker, lease: 1_000, ends, wants: [{ queue: 'mail', count: 10 }] })
  for (const { id } of claimed) process.stdout.write(`${id}\n`)
  ends = claimed.map(({ id, attempt }) => ({ id, attempt, outcome: 'completed', result: undefined }))
}

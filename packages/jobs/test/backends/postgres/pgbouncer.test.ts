import { after, before } from 'node:test'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { jobsBackendContract } from '@tailwater/jobs/testing'
import { createDatabase, type Database } from '@tailwater/postgres'
import { passTestTime, setTestTime, startPgBouncer, type TestPgBouncer } from '@tailwater/postgres/testing'
import { emptyTables, type Ground, openGround } from './ground.ts'

let ground: Ground
let bouncer: TestPgBouncer
let pooled: Database
before(async () => {
  ground = await openGround()
  bouncer = await startPgBouncer({ target: ground.url, poolSize: 5 })
  // Without a way past it: nothing can LISTEN.
  pooled = createDatabase({ url: bouncer.url, pooler: 'transaction', min: 1, max: 10 })
  await pooled.start()
})
after(async () => {
  await pooled.stop()
  await bouncer.close()
  await ground.close()
})

jobsBackendContract('PostgreSQL behind PgBouncer in transaction mode', {
  async open() {
    const { database, schema } = ground
    await emptyTables(database, schema)
    await setTestTime(database, schema, new Date('2030-01-01T00:00:00Z'))
    const backend = createPostgresBackend({ database: pooled, schema })
    await backend.start()
    return { backend, advance: (ms) => passTestTime(database, schema, ms), close: () => backend.stop() }
  },
})

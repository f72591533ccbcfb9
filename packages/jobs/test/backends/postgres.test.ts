import { after, before } from 'node:test'
import { jobsMigrations } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { jobsBackendContract } from '@tailwater/jobs/testing'
import { tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, passTestTime, setTestTime, type TestSchema } from '@tailwater/postgres/testing'
import { emptyTables } from './postgres/ground.ts'

let ground: TestSchema
before(async () => {
  ground = await createTestSchema({ modules: [tailwaterMigrations, jobsMigrations] })
})
after(() => ground.close())

jobsBackendContract('PostgreSQL', {
  async open() {
    const { database, schema } = ground
    await emptyTables(database, schema)
    await setTestTime(database, schema, new Date('2030-01-01T00:00:00Z'))
    const backend = createPostgresBackend({ database, schema })
    await backend.start()
    return {
      backend,
      advance: (ms) => passTestTime(database, schema, ms),
      close: () => backend.stop(),
    }
  },
})

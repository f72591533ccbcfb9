import { leaseContract } from '@tailwater/core/testing'
import { createPostgresLeases, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, passTestTime } from '@tailwater/postgres/testing'

leaseContract('createPostgresLeases', {
  async open() {
    const { database, schema, close } = await createTestSchema({ modules: [tailwaterMigrations] })
    const pass = (ms: number) => passTestTime(database, schema, ms)
    await pass(0)
    return { leases: createPostgresLeases({ database, schema }), pass, close }
  },
})

import { jobsMigrations } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createOutbox, createPostgresBus, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema } from '@tailwater/postgres/testing'
import { createPostgresRouting, messagingMigrations } from '../../src/backends/postgres/index.ts'
import { createJobsMessaging, type MessagingBackend } from '../../src/index.ts'
import { messagingBackendContract } from '../../src/testing/index.ts'
import { severable } from './severed.ts'

messagingBackendContract('PostgreSQL', {
  async ground() {
    const { database, schema, close } = await createTestSchema({
      modules: [tailwaterMigrations, jobsMigrations, messagingMigrations],
      pool: { max: 20 },
    })
    const cuts = new Map<MessagingBackend, () => void>()
    return {
      async open() {
        const { store, sever } = severable(createPostgresBackend({ database, schema }))
        const outbox = createOutbox({ database, schema })
        const bus = createPostgresBus({ outbox })
        const backend = createJobsMessaging({
          store,
          routing: createPostgresRouting({ database, schema }),
          bus,
          services: [outbox, bus],
          lease: '1s',
          pollInterval: '100ms',
        })
        cuts.set(backend, sever)
        await backend.start()
        return backend
      },
      crash: async (backend) => cuts.get(backend)!(),
      close,
    }
  },
})

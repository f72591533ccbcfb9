import { FakeClock } from '@tailwater/core/testing'
import { createOutbox, type Outbox, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, outboxContract, passTestTime } from '@tailwater/postgres/testing'
import pg from 'pg'
import { severable } from './severable_database.ts'

const LEASE_TTL = 15_000

outboxContract('createOutbox', {
  async open() {
    const { url, database, schema, close } = await createTestSchema({ modules: [tailwaterMigrations] })
    await passTestTime(database, schema, 0)
    const users = new pg.Pool({ connectionString: url })
    const started: { outbox: Outbox; clock: FakeClock }[] = []

    function node() {
      const clock = new FakeClock()
      const cable = severable(database)
      const outbox = createOutbox({ database: cable.database, schema, clock, leaseTtl: LEASE_TTL })
      started.push({ outbox, clock })
      const crash = async () => {
        await cable.cut()
        await stopNow(outbox, clock)
      }
      return { outbox, clock, crash }
    }
    return {
      node,
      pass: () => passTestTime(database, schema, LEASE_TTL),
      async transaction(body) {
        const client = await users.connect()
        try {
          await client.query('BEGIN')
          const result = await body(client)
          await client.query('COMMIT')
          return result
        } catch (error) {
          await client.query('ROLLBACK')
          throw error
        } finally {
          client.release()
        }
      },
      async close() {
        await Promise.all(started.map(({ outbox, clock }) => stopNow(outbox, clock)))
        await users.end()
        await close()
      },
    }
  },
})

async function stopNow(outbox: Outbox, clock: FakeClock): Promise<void> {
  const stopped = outbox.stop(clock.elapsed())
  let isStopped = false
  void stopped.then(() => {
    isStopped = true
  })
  while (!isStopped) await clock.advance(1)
}

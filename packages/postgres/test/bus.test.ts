import { busContract } from '@tailwater/core/testing'
import {
  createDatabase,
  createOutbox,
  createPostgresBus,
  type Database,
  type PostgresBus,
  tailwaterMigrations,
} from '@tailwater/postgres'
import { createTestSchema, startPgBouncer } from '@tailwater/postgres/testing'
import { severable } from './severable_database.ts'

/** Two nodes, each with its own connections; the second one's can be cut. */
async function openBuses(reach: (url: string) => Promise<{ database: Database; close(): Promise<void> }>) {
  const { url, schema, close } = await createTestSchema({ modules: [tailwaterMigrations] })
  const nodes: { bus: PostgresBus; cut(): Promise<void>; heal(): void; close(): Promise<void> }[] = []
  for (let i = 0; i < 2; i++) {
    const home = await reach(url)
    const cable = severable(home.database)
    const outbox = createOutbox({ database: cable.database, schema })
    const bus = createPostgresBus({ outbox })
    await outbox.start()
    await bus.start()
    nodes.push({
      bus,
      cut: cable.cut,
      heal: cable.heal,
      async close() {
        await bus.stop()
        await outbox.stop()
        await home.close()
      },
    })
  }
  return {
    nodes: [nodes[0]!.bus, nodes[1]!.bus] as const,
    cut: nodes[1]!.cut,
    heal: async () => nodes[1]!.heal(),
    settle: async () => {},
    async close() {
      await Promise.all(nodes.map((node) => node.close()))
      await close()
    },
  }
}

busContract('createPostgresBus', {
  open: () =>
    openBuses(async (url) => {
      const database = createDatabase({ url, min: 1, max: 4 })
      await database.start()
      return { database, close: () => database.stop() }
    }),
})

busContract('createPostgresBus behind PgBouncer, where nothing can LISTEN,', {
  open: () =>
    openBuses(async (target) => {
      const bouncer = await startPgBouncer({ target })
      const database = createDatabase({ url: bouncer.url, pooler: 'transaction', min: 1, max: 4 })
      await database.start()
      return {
        database,
        async close() {
          await database.stop()
          await bouncer.close()
        },
      }
    }),
})

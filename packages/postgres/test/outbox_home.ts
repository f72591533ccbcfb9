import { after } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import {
  createOutbox,
  type Outbox,
  type OutboxMessage,
  type OutboxOptions,
  tailwaterMigrations,
} from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'

/** Outboxes of one schema, all stopped when the test is over; their clocks stand still unless moved. */
export async function outboxHome(pool?: Parameters<typeof createTestSchema>[0]) {
  const home = await createTestSchema({ modules: [tailwaterMigrations], ...pool })
  const open: { outbox: Outbox; clock: FakeClock }[] = []
  after(async () => {
    await Promise.all(open.map(({ outbox, clock }) => moveUntil(clock, outbox.stop(clock.elapsed() + 1_000))))
    await home.close()
  })
  return {
    ...home,
    outbox(options: Partial<OutboxOptions> = {}) {
      const clock = new FakeClock()
      const outbox = createOutbox({ database: home.database, schema: home.schema, clock, ...options })
      open.push({ outbox, clock })
      return { outbox, clock }
    },
    async count(where = 'true'): Promise<number> {
      const { rows } = await home.database.query<{ n: number }>(
        `SELECT count(*)::integer AS n FROM ${home.schema}.outbox WHERE ${where}`,
      )
      return rows[0]!.n
    },
  }
}

/** Moves a clock until a promise has settled. */
export async function moveUntil<T>(clock: FakeClock, promise: Promise<T>, step = 1): Promise<T> {
  let isSettled = false
  const settled = () => {
    isSettled = true
  }
  promise.then(settled, settled)
  while (!isSettled) await clock.advance(step)
  return promise
}

/** Keeps what a consumer is given, and lets a test wait for it. */
export function collector() {
  const messages: OutboxMessage[] = []
  let wake = () => {}
  return {
    messages,
    payloads: () => messages.map(({ payload }) => payload),
    handler: (batch: readonly OutboxMessage[]) => {
      messages.push(...batch)
      wake()
    },
    /** Resolves once there are as many. */
    async reach(count: number): Promise<void> {
      while (messages.length < count)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    },
  }
}

/** Asks the server until something is so; each question gives everything else time to go on. */
export async function untilSo(
  { database }: Pick<TestSchema, 'database'>,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> {
  while (!(await isSo())) await database.query('SELECT 1')
}

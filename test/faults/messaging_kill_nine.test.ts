import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { newId, sleep, systemClock } from '@tailwater/core'
import { jobsMigrations } from '@tailwater/jobs'
import { messagingMigrations } from '@tailwater/messaging/postgres'
import { createDatabase, createMigrator, tailwaterMigrations } from '@tailwater/postgres'
import { startTestPostgres } from '@tailwater/postgres/testing'
import { startRedis } from '@tailwater/redis/testing'
import { record, seeds } from './journal.ts'
import { type MessageCarrier, openMessageCarrier } from './message_carrier.ts'
import { MessageConsumers } from './message_consumers.ts'
import { randomIntegers } from './random.ts'

const MUST_HOLD = 'Every confirmed message handled at least once, and nothing left over.'
/** Messages, and kills of consumers, of each seed of a whole run; `npm test` makes do with a sample of both. */
const WHOLE = { total: 20_000, kills: 12 }
const SAMPLE = { total: 1_500, kills: 3 }
const { total, kills } = process.env['TAILWATER_TEST_ALL_SEEDS'] ? WHOLE : SAMPLE
const CONSUMERS = 2
/** What one consumer holds at most, and so what a kill may repeat. */
const PREFETCH = 50
/** Milliseconds for what is left when all is published and nobody is killed any more. */
const PATIENCE = 60_000

const carriers: Record<string, () => Promise<{ carrier: MessageCarrier; stop(): Promise<unknown> }>> = {
  async PostgreSQL() {
    const server = await startTestPostgres()
    const database = createDatabase({ url: server.url, min: 0, max: 2 })
    await database.start()
    const modules = [tailwaterMigrations, jobsMigrations, messagingMigrations]
    await createMigrator({ database, schema: 'tailwater', modules }).run()
    await database.stop()
    return { carrier: { database: server.url }, stop: () => server.close() }
  },
  async Redis() {
    const server = await startRedis()
    return { carrier: { redis: server.url }, stop: () => server.stop() }
  },
}

for (const [name, lay] of Object.entries(carriers))
  for (const seed of seeds([20261126, 11, 42]))
    it(`no kill -9 of consumers loses a message that ${name} carries (seed ${seed})`, async () => {
      const { carrier, stop } = await lay()
      after(stop)
      const { backend, close } = await openMessageCarrier(carrier)
      after(close)
      await backend.topology.declareExchange({ name: 'orders', type: 'topic' })
      const bindings = [{ exchange: 'orders', pattern: '#' }]
      const unlimited = { ttl: undefined, maxLength: undefined }
      await backend.topology.declareSubscription({
        ...{ name: 'billing', bindings, levels: ['normal'], maxCrashes: 3, ...unlimited },
      })
      const consumers = new MessageConsumers(carrier, 'billing')
      after(() => consumers.stop())
      await Promise.all(Array.from({ length: CONSUMERS }, () => consumers.start()))

      const random = randomIntegers(seed)
      const share = Math.floor(total / (kills + 1))
      const confirmed: string[] = []
      for (let kill = 0; kill <= kills; kill++) {
        const ids = Array.from({ length: kill < kills ? share : total - confirmed.length }, () => newId())
        const at = kill < kills ? random(0, ids.length - 1) : undefined
        const killing: Promise<void>[] = []
        for (const [index, id] of ids.entries()) {
          if (index === at) killing.push(consumers.killOne())
          await backend.publish.send([
            {
              message: {
                ...{ id, exchange: 'orders', topic: 'order.placed', body: '1', contentType: 'application/json' },
                ...{ headers: {}, level: 'normal', publishedAt: systemClock.now() },
              },
            },
          ])
          confirmed.push(id)
        }
        await Promise.all(killing)
      }
      const lost = await untilHandled(confirmed, consumers)
      const handled = consumers.handled()
      const handledTwice = handled.length - new Set(handled).size
      record({
        fault: `kill -9 of consumers amid messages that ${name} carries`,
        seed,
        mustHold: MUST_HOLD,
        figures: { confirmed: confirmed.length, lost, consumersKilled: consumers.kills, handledTwice },
      })
      assert.equal(lost, 0)
      assert.equal(consumers.kills, kills)
      assert.ok(handledTwice <= kills * PREFETCH, `${handledTwice} handled twice`)
      assert.equal(await backend.deadLetters.count('billing'), 0)
    })

/** How many are missing when nothing more comes, or the time is over. */
async function untilHandled(confirmed: readonly string[], consumers: MessageConsumers): Promise<number> {
  const deadline = systemClock.elapsed() + PATIENCE
  for (;;) {
    const handled = new Set(consumers.handled())
    const missing = confirmed.filter((id) => !handled.has(id)).length
    if (missing === 0 || systemClock.elapsed() > deadline) return missing
    await sleep(systemClock, 50)
  }
}

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { type BusMessage, databaseQuery, hasCode, listen } from '@tailwater/core'
import { FakeClock, stressLifecycle } from '@tailwater/core/testing'
import { createOutbox, createPostgresBus, type PostgresBusOptions, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema } from '@tailwater/postgres/testing'
import { moveUntil, untilSo } from './outbox_home.ts'
import { severable } from './severable_database.ts'

/** Nodes on one schema, in real time; stopped when the test is over. */
async function busHome() {
  const home = await createTestSchema({ modules: [tailwaterMigrations] })
  const stops: (() => Promise<void>)[] = []
  after(async () => {
    await Promise.all(stops.map((stop) => stop()))
    await home.close()
  })
  async function node(options: Partial<PostgresBusOptions> = {}) {
    const cable = severable(home.database)
    const outbox = createOutbox({ database: cable.database, schema: home.schema })
    const bus = createPostgresBus({ outbox, ...options })
    stops.push(async () => {
      await bus.stop()
      await outbox.stop()
    })
    await outbox.start()
    await bus.start()
    return { bus, outbox, cable }
  }
  return { ...home, node }
}

/** A subscriber that keeps what it hears, in order: payloads, and gaps as `gap: reason`. */
function listener() {
  const heard: unknown[] = []
  const messages: BusMessage[] = []
  return {
    heard,
    messages,
    onMessage(message: BusMessage) {
      messages.push(message)
      heard.push(message.payload)
    },
    onGap: (reason: string) => void heard.push(`gap: ${reason}`),
  }
}

describe('a bus over PostgreSQL', () => {
  it('sends what a transaction published if and when it commits', async () => {
    const home = await busHome()
    const { bus } = await home.node()
    const ear = listener()
    await bus.subscribe('prices', ear)
    await assert.rejects(
      home.database.transaction(async (tx) => {
        await bus.publishIn(tx, 'prices', 'undone')
        throw new Error('the transaction fails')
      }),
    )
    await home.database.transaction(async (tx) => {
      await bus.publishIn(tx, 'prices', 'done')
      await bus.publish('prices', 'meanwhile')
    })
    await untilSo(home, () => ear.heard.length === 2)
    assert.deepEqual(ear.heard, ['meanwhile', 'done'])
    assert.ok(ear.messages[0]!.sequence < ear.messages[1]!.sequence)
  })

  it('stores what is published in one tick with few statements, in order', async () => {
    const home = await busHome()
    const { bus } = await home.node()
    const ear = listener()
    await bus.subscribe('prices', ear)
    let inserts = 0
    const endListening = listen(databaseQuery, ({ name }) => {
      if (name?.startsWith('tw_outbox_broadcast')) inserts++
    })
    const numbers = Array.from({ length: 2_500 }, (_, i) => i)
    await Promise.all(numbers.map((n) => bus.publish('prices', n)))
    endListening()
    await untilSo(home, () => ear.heard.length === numbers.length)
    assert.deepEqual(ear.heard, numbers)
    assert.equal(inserts, 3)
  })

  it('refuses what it could not hold, and what JSON cannot carry', async () => {
    const home = await busHome()
    const { bus } = await home.node({ maxPending: 3 })
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, (_, n) => bus.publish('prices', n)))
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.equal(refused.length, 2)
    assert.ok(refused.every(({ reason }) => hasCode(reason, 'E_BUS_FULL')))
    await bus.publish('prices', 'room again')
    await assert.rejects(bus.publish('prices', 1n), TypeError)
    await assert.rejects(bus.publish('', 1), (error) => hasCode(error, 'E_OPTIONS'))
  })

  it('takes nothing before its start and after its stop, and stores what it has taken', async () => {
    const home = await busHome()
    const { bus, outbox } = await home.node()
    const other = await home.node()
    const ear = listener()
    await other.bus.subscribe('prices', ear)
    const isStopped = (error: unknown) => hasCode(error, 'E_BUS_STOPPED')
    await assert.rejects(createPostgresBus({ outbox }).publish('prices', 1), isStopped)
    await assert.rejects(createPostgresBus({ outbox }).subscribe('prices', ear), isStopped)
    const last = bus.publish('prices', 'last')
    await bus.stop()
    await last
    await assert.rejects(bus.publish('prices', 'too late'), isStopped)
    await untilSo(home, () => ear.heard.length > 0)
    assert.deepEqual(ear.heard, ['last'])
  })

  it('lets a subscriber that falls behind lose messages and hear of it, and the others hear all', async () => {
    const home = await busHome()
    const { bus } = await home.node({ maxQueue: 10 })
    const gate = Promise.withResolvers<void>()
    const [slow, quick] = [listener(), listener()]
    await bus.subscribe('prices', {
      ...slow,
      async onMessage(message) {
        await gate.promise
        slow.onMessage(message)
      },
    })
    await bus.subscribe('prices', quick)
    for (let n = 0; n < 35; n++) await bus.publish('prices', n)
    await untilSo(home, () => quick.heard.length === 35)
    gate.resolve()
    await untilSo(home, () => slow.heard.at(-1) === 34)
    assert.deepEqual(
      quick.heard,
      Array.from({ length: 35 }, (_, n) => n),
    )
    assert.equal(slow.heard[1], 'gap: gap')
    assert.ok(slow.heard.length < 20)
  })

  it('catches up after a stop with what was published meanwhile', async () => {
    const home = await busHome()
    const [one, other] = [await home.node(), await home.node()]
    const ear = listener()
    await one.bus.subscribe('prices', ear)
    await other.bus.publish('prices', 'before')
    await untilSo(home, () => ear.heard.length === 1)
    await one.bus.stop()
    await other.bus.publish('prices', 'meanwhile')
    await one.bus.start()
    await other.bus.publish('prices', 'after')
    await untilSo(home, () => ear.heard.length === 3)
    assert.deepEqual(ear.heard, ['before', 'meanwhile', 'after'])
  })

  it('says that messages were lost when they have been trimmed, and goes on', async () => {
    const home = await busHome()
    const [one, other] = [await home.node(), await home.node()]
    const ear = listener()
    await one.bus.subscribe('prices', ear)
    await one.bus.stop()
    for (const price of ['lost', 'kept']) await other.bus.publish('prices', price)
    await home.database.query(
      `DELETE FROM ${home.schema}.outbox WHERE sequence = 1; UPDATE ${home.schema}.outbox_trim SET sequence = 1`,
    )
    await one.bus.start()
    await untilSo(home, () => ear.heard.length === 1)
    await other.bus.publish('prices', 'new')
    await untilSo(home, () => ear.heard.includes('new'))
    assert.deepEqual(ear.heard, ['gap: gap', 'new'])
  })

  it('says nothing when only what it has read was trimmed', async () => {
    const home = await busHome()
    const [one, other] = [await home.node(), await home.node()]
    const ear = listener()
    await one.bus.subscribe('prices', ear)
    await other.bus.publish('prices', 'old')
    await untilSo(home, () => ear.heard.length === 1)
    await home.database.query(`DELETE FROM ${home.schema}.outbox; UPDATE ${home.schema}.outbox_trim SET sequence = 1`)
    await other.bus.publish('prices', 'new')
    await untilSo(home, () => ear.heard.length === 2)
    assert.deepEqual(ear.heard, ['old', 'new'])
    assert.deepEqual(
      ear.messages.map(({ sequence }) => sequence),
      [1n, 2n],
    )
  })

  /** What a failover to a replica that was behind leaves: the last places are gone and are given to others. */
  for (const { title, more } of [
    { title: 'is shorter than it was', more: 0 },
    { title: 'has grown as long as it was with other messages', more: 2 },
    { title: 'has grown longer than it was with other messages', more: 5 },
  ]) {
    it(`says that the line is another when it ${title}`, async () => {
      const home = await busHome()
      const [one, other] = [await home.node(), await home.node()]
      const ear = listener()
      await one.bus.subscribe('prices', ear)
      for (const price of [1, 2, 3]) await other.bus.publish('prices', price)
      await untilSo(home, () => ear.heard.length === 3)
      await one.cable.cut()
      await home.database.query(`DELETE FROM ${home.schema}.outbox WHERE sequence > 1`)
      for (let n = 0; n < more; n++) await other.bus.publish('prices', `other ${n}`)
      one.cable.heal()
      await untilSo(home, () => ear.heard.length > 3)
      assert.equal(ear.heard[3], 'gap: epoch')
      await other.bus.publish('prices', 'new')
      await untilSo(home, () => ear.heard.includes('new'))
      assert.ok(!ear.heard.slice(4).includes(3))
    })
  }

  it('fails a publish while the server is away, and serves the next one when it is back', async () => {
    const home = await busHome()
    const { bus, cable } = await home.node()
    const ear = listener()
    await bus.subscribe('prices', ear)
    await cable.cut()
    await assert.rejects(bus.publish('prices', 'refused'), /cut/)
    cable.heal()
    await bus.publish('prices', 'taken')
    await untilSo(home, () => ear.heard.length === 1)
    assert.deepEqual(ear.heard, ['taken'])
  })

  it('can be started and stopped at any time', async () => {
    const home = await busHome()
    const { outbox } = await home.node()
    await stressLifecycle(createPostgresBus({ outbox }))
  })

  it('is stopped at the deadline although the server answers nothing and a subscriber hangs', async () => {
    const home = await createTestSchema({ modules: [tailwaterMigrations] })
    after(home.close)
    const cable = severable(home.database)
    const clock = new FakeClock()
    const outbox = createOutbox({ database: cable.database, schema: home.schema, clock })
    const bus = createPostgresBus({ outbox, clock })
    await outbox.start()
    await bus.start()
    const hearing = Promise.withResolvers<void>()
    await bus.subscribe('prices', {
      onMessage() {
        hearing.resolve()
        return new Promise(() => {})
      },
      onGap() {},
    })
    await bus.publish('prices', 1)
    await hearing.promise
    cable.freeze()
    const unanswered = bus.publish('prices', 2)
    await clock.advance(0)
    const refused = assert.rejects(bus.publish('prices', 3), (error) => hasCode(error, 'E_BUS_STOPPED'))
    const stopped = bus.stop(clock.elapsed() + 100)
    await moveUntil(clock, stopped)
    await refused
    await moveUntil(clock, outbox.stop(clock.elapsed() + 100))
    assert.ok(clock.elapsed() < 1_000)
    assert.equal(await Promise.race([unanswered, 'unanswered']), 'unanswered')
  })
})

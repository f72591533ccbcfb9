import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type BackgroundErrorEvent,
  backgroundError,
  type DatabaseQueryEvent,
  databaseQuery,
  hasCode,
  listen,
} from '@tailwater/core'
import { FakeClock, stressLifecycle } from '@tailwater/core/testing'
import {
  createDatabase,
  createMigrator,
  createOutbox,
  createPostgresBus,
  tailwaterMigrations,
} from '@tailwater/postgres'
import { startPgBouncer } from '@tailwater/postgres/testing'
import pg from 'pg'
import { collector, moveUntil, outboxHome, untilSo } from './outbox_home.ts'
import { severable } from './severable_database.ts'

describe('an outbox', () => {
  it('hands a message on right after the commit, without waiting for the next look', async () => {
    const home = await outboxHome()
    const { outbox } = home.outbox()
    const inbox = collector()
    await outbox.consumer('orders', inbox.handler)
    await outbox.start()
    await home.database.transaction((tx) => outbox.append(tx, 'order', 1))
    await inbox.reach(1)
    await outbox.append(home.database, 'order', 2)
    await inbox.reach(2)
    assert.deepEqual(inbox.payloads(), [1, 2])
  })

  it('tells the process that serves the consumer, whichever wrote', async () => {
    const home = await outboxHome()
    const [serving, writing] = [home.outbox(), home.outbox()]
    const inbox = collector()
    await serving.outbox.consumer('orders', inbox.handler)
    await serving.outbox.start()
    await writing.outbox.start()
    await home.database.transaction((tx) => writing.outbox.append(tx, 'order', 1))
    await inbox.reach(1)
  })

  it("is woken by a NOTIFY within a user's transaction, and by wake() after it", async () => {
    const home = await outboxHome()
    const { outbox } = home.outbox()
    const inbox = collector()
    await outbox.consumer('orders', inbox.handler)
    await outbox.start()
    const user = new pg.Client({ connectionString: home.url })
    await user.connect()
    await user.query('BEGIN')
    await outbox.append(user, 'order', 1, { notify: true })
    await user.query('COMMIT')
    await inbox.reach(1)
    await user.query('BEGIN')
    await outbox.append(user, 'order', 2)
    await user.query('COMMIT')
    outbox.wake()
    await inbox.reach(2)
    await user.end()
  })

  it("finds rows of users' transactions by looking, the oftener the more it finds", async () => {
    const home = await outboxHome()
    const { outbox, clock } = home.outbox()
    const inbox = collector()
    await outbox.consumer('orders', inbox.handler)
    await outbox.start()
    const looks: number[] = []
    const endListening = listen(databaseQuery, ({ name }) => {
      if (name === `tw_outbox_line:${home.schema}`) looks.push(clock.elapsed())
    })
    const lookUntil = (isSo: () => boolean) =>
      untilSo(home, async () => {
        await clock.advance(10)
        return isSo()
      })
    await lookUntil(() => clock.elapsed() > 6_000)
    const user = new pg.Client({ connectionString: home.url })
    await user.connect()
    const quiet = looks.length
    await outbox.append(user, 'order', 1)
    await lookUntil(() => inbox.messages.length === 1 && looks.length > quiet + 2)
    endListening()
    await user.end()
    const waits = looks.slice(1).map((time, i) => time - looks[i]!)
    assert.ok(waits[quiet - 2]! >= 1_000, `a quiet outbox was looked at after ${waits[quiet - 2]} ms`)
    assert.ok(waits[quiet]! < 200, `after a find the next look came ${waits[quiet]} ms later`)
  })

  it('listens again after its session was ended by the server', async () => {
    const home = await outboxHome()
    const [one, other] = [home.outbox(), home.outbox()]
    const inbox = collector()
    await one.outbox.consumer('orders', inbox.handler)
    await one.outbox.start()
    const sessions = () =>
      home.database.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN "tw_outbox_${home.schema}"'`,
      )
    await untilSo(home, async () => (await sessions()).rows.length === 1)
    const { rows } = await sessions()
    await home.database.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid])
    await untilSo(home, async () => {
      await one.clock.advance(100)
      return (await sessions()).rows.some(({ pid }) => pid !== rows[0]!.pid)
    })
    await other.outbox.start()
    await home.database.transaction((tx) => other.outbox.append(tx, 'order', 1))
    await inbox.reach(1)
  })

  it('works through PgBouncer in transaction mode, where nothing can listen', async () => {
    const home = await outboxHome()
    const bouncer = await startPgBouncer({ target: home.url })
    const database = createDatabase({ url: bouncer.url, pooler: 'transaction', min: 1, max: 4 })
    await database.start()
    const faults: BackgroundErrorEvent[] = []
    const endListening = listen(backgroundError, (event) => faults.push(event))
    const { outbox, clock } = home.outbox({ database })
    const inbox = collector()
    await outbox.consumer('orders', inbox.handler)
    await outbox.start()
    const user = new pg.Client({ connectionString: bouncer.url })
    await user.connect()
    await outbox.append(user, 'order', 1)
    await clock.advance(1_000)
    await inbox.reach(1)
    await user.end()
    await moveUntil(clock, outbox.stop())
    await database.stop()
    await bouncer.close()
    endListening()
    assert.deepEqual(faults, [])
  })

  it('needs no more than the rights of the run-time role, and neither does its bus', async () => {
    const home = await outboxHome()
    const role = `${home.schema}_app`
    await home.database.query(`CREATE ROLE ${role}`)
    await createMigrator({ database: home.database, schema: home.schema, modules: [tailwaterMigrations], role }).run()
    const database = createDatabase({ url: home.url, role, min: 1, max: 4 })
    await database.start()
    const outbox = createOutbox({ database, schema: home.schema })
    const bus = createPostgresBus({ outbox })
    const [inbox, ear] = [collector(), collector()]
    await outbox.consumer('orders', inbox.handler)
    await outbox.start()
    await bus.start()
    await bus.subscribe('prices', { onMessage: (message) => ear.handler([message as never]), onGap() {} })
    await database.transaction((tx) => outbox.append(tx, 'order', 1))
    await bus.publish('prices', 2)
    await inbox.reach(1)
    await ear.reach(1)
    await bus.stop()
    await outbox.stop()
    await database.stop()
    await home.database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  it('sends one notification for many commits in a short time', async () => {
    const home = await outboxHome()
    const { outbox } = home.outbox()
    await outbox.start()
    const sent: DatabaseQueryEvent[] = []
    const endListening = listen(databaseQuery, (event) => {
      if (event.name?.startsWith('tw_outbox_notify')) sent.push(event)
    })
    for (let i = 0; i < 30; i++) await home.database.transaction((tx) => outbox.append(tx, 'order', i))
    await untilSo(home, async () => (await home.count('sequence IS NULL')) === 0)
    endListening()
    assert.equal(sent.length, 1)
  })

  it('hands on many messages at once, and one at a time after a failure', async () => {
    const home = await outboxHome()
    const { outbox, clock } = home.outbox()
    const sizes: number[] = []
    let isBroken = true
    await outbox.consumer('orders', (messages) => {
      sizes.push(messages.length)
      if (isBroken) throw new Error('broken')
    })
    await outbox.appendAll(
      home.database,
      Array.from({ length: 600 }, (_, i) => ({ topic: 'order', payload: i })),
    )
    await outbox.start()
    await untilSo(home, () => sizes.length > 0)
    isBroken = false
    await untilSo(home, async () => {
      await clock.advance(50)
      return (await outbox.consumers())[0]!.behind === 0
    })
    assert.deepEqual(sizes.slice(0, 4), [500, 1, 2, 4])
    assert.equal(
      sizes.slice(1).reduce((a, b) => a + b),
      600,
    )
  })

  it('waits longer after each failure, up to the longest wait', async () => {
    const home = await outboxHome()
    const { outbox, clock } = home.outbox({ minBackoff: 100, maxBackoff: 400, leaseTtl: '1h' })
    const at: number[] = []
    await outbox.consumer('orders', () => {
      at.push(clock.elapsed())
      throw new Error('broken')
    })
    await outbox.append(home.database, 'order', 1)
    await outbox.start()
    await untilSo(home, () => at.length > 0)
    for (let n = 2; n <= 6; n++) {
      // The failure is noted before the wait begins.
      await untilSo(home, async () => (await outbox.consumers())[0]!.failures === n - 1)
      await untilSo(home, async () => {
        await clock.advance(10)
        return at.length === n
      })
    }
    const waits = at.slice(1).map((time, i) => Math.round((time - at[i]!) / 100) * 100)
    assert.deepEqual(waits, [100, 200, 400, 400, 400])
  })

  it('a new consumer begins with the oldest message, or with the next one if it says so', async () => {
    const home = await outboxHome()
    const { outbox } = home.outbox()
    await outbox.start()
    await outbox.append(home.database, 'order', 'before')
    await untilSo(home, async () => (await home.count('sequence IS NULL')) === 0)
    const [all, latest] = [collector(), collector()]
    await outbox.consumer('all', all.handler)
    await outbox.consumer('latest', latest.handler, { from: 'latest' })
    await outbox.append(home.database, 'order', 'after')
    await all.reach(2)
    await latest.reach(1)
    assert.deepEqual([all.payloads(), latest.payloads()], [['before', 'after'], ['after']])
    await assert.rejects(outbox.consumer('all', all.handler), (error) => hasCode(error, 'E_OPTIONS'))
  })

  it('a consumer that follows more topics in a newer release keeps the older ones', async () => {
    const home = await outboxHome()
    const [older, newer] = [home.outbox(), home.outbox()]
    await older.outbox.consumer('orders', () => {}, { topics: ['a'] })
    await older.outbox.start()
    await moveUntil(older.clock, older.outbox.stop())
    const inbox = collector()
    await newer.outbox.consumer('orders', inbox.handler, { topics: ['b'] })
    await newer.outbox.start()
    for (const topic of ['a', 'b', 'c']) await newer.outbox.append(home.database, topic, topic)
    await inbox.reach(2)
    assert.deepEqual(inbox.payloads(), ['a', 'b'])
  })

  it('keeps messages of the bus from consumers', async () => {
    const home = await outboxHome()
    const { outbox } = home.outbox()
    const inbox = collector()
    await outbox.consumer('orders', inbox.handler)
    await outbox.start()
    await outbox.append(home.database, 'order', 'for the bus', { broadcast: true })
    await outbox.append(home.database, 'order', 'for consumers')
    await inbox.reach(1)
    assert.deepEqual(inbox.payloads(), ['for consumers'])
  })

  it('refuses a topic that is no name', async () => {
    const home = await outboxHome()
    const { outbox } = home.outbox()
    for (const topic of ['', 'x'.repeat(201), 'a\0b', 1 as unknown as string])
      await assert.rejects(outbox.append(home.database, topic, 1), (error) => hasCode(error, 'E_OPTIONS'))
    assert.equal(await home.count(), 0)
  })
})

describe('stopping an outbox', () => {
  it('can be done at any time, as can starting it', async () => {
    const { database, schema } = await outboxHome()
    const outbox = createOutbox({ database, schema })
    await outbox.consumer('orders', () => {})
    await stressLifecycle(outbox)
  })

  it('takes a consumer again under a name whose registration failed', async () => {
    const home = await outboxHome()
    const cable = severable(home.database)
    const outbox = createOutbox({ database: cable.database, schema: home.schema })
    await outbox.start()
    await cable.cut()
    const inbox = collector()
    await assert.rejects(outbox.consumer('orders', inbox.handler), /the connection is cut/)
    cable.heal()
    await outbox.consumer('orders', inbox.handler)
    await home.database.transaction((tx) => outbox.append(tx, 'order', 1))
    await inbox.reach(1)
    await outbox.stop()
  })

  it('is over at the deadline although the server answers nothing and a handler hangs', async () => {
    const home = await outboxHome()
    const cable = severable(home.database)
    const clock = new FakeClock()
    const outbox = createOutbox({ database: cable.database, schema: home.schema, clock })
    const handling = Promise.withResolvers<void>()
    await outbox.consumer('orders', () => {
      handling.resolve()
      return new Promise(() => {})
    })
    await outbox.append(home.database, 'order', 1)
    await outbox.start()
    await handling.promise
    cable.freeze()
    outbox.wake()
    const stopped = outbox.stop(clock.elapsed() + 100)
    await clock.advance(99)
    assert.equal(await Promise.race([stopped.then(() => 'stopped'), 'going on']), 'going on')
    await moveUntil(clock, stopped)
    assert.ok(clock.elapsed() < 1_000)
  })
})

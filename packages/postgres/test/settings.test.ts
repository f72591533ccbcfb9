import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import {
  createMemoryBus,
  duration,
  hasCode,
  integer,
  listen,
  type MemoryBus,
  type NoticeEvent,
  notice,
  oneOf,
} from '@tailwater/core'
import { FakeClock, stressLifecycle } from '@tailwater/core/testing'
import {
  createOutbox,
  createPostgresBus,
  createSettings,
  type Settings,
  type SettingUpdate,
  setting,
  tailwaterMigrations,
} from '@tailwater/postgres'
import { createTestSchema, setTestTime } from '@tailwater/postgres/testing'

const definitions = {
  'cache.ttl': setting({
    field: duration({ max: 86_400_000 }),
    default: '5m',
    description: 'How long an entry is fresh.',
  }),
  'jobs.concurrency': setting({ field: integer({ min: 1, max: 100 }), default: 10, description: 'Jobs at once.' }),
  'log.level': setting({ field: oneOf(['info', 'warn']), default: 'info', description: 'The lines that are kept.' }),
}
const admin = { who: 'admin@example.com', reason: 'sale' }

/** The settings of several processes of one schema. */
async function processes(count: number) {
  const home = await createTestSchema({ modules: [tailwaterMigrations] })
  after(home.close)
  const { database, schema } = home
  const transport = createMemoryBus()
  const buses: MemoryBus[] = []
  const all: Settings<typeof definitions>[] = []
  for (let i = 0; i < count; i++) {
    const bus = transport.connect()
    const settings = createSettings({ database, schema, bus, definitions, clock: new FakeClock() })
    await settings.start()
    after(() => settings.stop())
    buses.push(bus)
    all.push(settings)
  }
  return { ...home, buses, all }
}

/** The next change that a process hears of. */
const nextChange = (settings: Settings<typeof definitions>, name = '*') =>
  new Promise<SettingUpdate>((resolve) => {
    const end = settings.onChange(name, (update) => {
      end()
      resolve(update)
    })
  })

describe('settings', () => {
  it('have their defaults until somebody sets them, and read as their field says', async () => {
    const { all } = await processes(1)
    const [settings] = all as [Settings<typeof definitions>]
    const ttl: number = settings.get('cache.ttl')
    const level: 'info' | 'warn' = settings.get('log.level')
    assert.deepEqual([ttl, level, settings.get('jobs.concurrency')], [300_000, 'info', 10])
    await settings.set('cache.ttl', '10m', admin)
    assert.equal(settings.get('cache.ttl'), 600_000)
    await settings.reset('cache.ttl', admin)
    assert.equal(settings.get('cache.ttl'), 300_000)
  })

  it('are known to every process a moment after they changed', async () => {
    const { all } = await processes(3)
    const heard = all.slice(1).map((settings) => nextChange(settings, 'jobs.concurrency'))
    await all[0]!.set('jobs.concurrency', 20, admin)
    for (const change of await Promise.all(heard))
      assert.deepEqual(change, { name: 'jobs.concurrency', value: 20, old: 10 })
    assert.deepEqual(
      all.map((settings) => settings.get('jobs.concurrency')),
      [20, 20, 20],
    )
  })

  it('that changed while the bus was cut are read once it tells of the gap', async () => {
    const { all, buses } = await processes(2)
    buses[1]!.cut()
    await all[0]!.set('jobs.concurrency', 30, admin)
    assert.equal(all[1]!.get('jobs.concurrency'), 10)
    const heard = nextChange(all[1]!)
    buses[1]!.heal()
    assert.equal((await heard).value, 30)
  })

  it('are read from time to time without a word on the bus', async () => {
    const { database, schema, all } = await processes(1)
    const clock = new FakeClock()
    const deaf = createSettings({ database, schema, definitions, clock })
    await deaf.start()
    await all[0]!.set('jobs.concurrency', 40, admin)
    const heard = nextChange(deaf)
    await clock.advance(30_000)
    assert.equal((await heard).value, 40)
    await deaf.stop()
  })

  it('over PostgreSQL are told of in the transaction that changes them', async () => {
    const { database, schema, close } = await createTestSchema({ modules: [tailwaterMigrations] })
    after(close)
    const open = async () => {
      const outbox = createOutbox({ database, schema })
      const bus = createPostgresBus({ outbox })
      const settings = createSettings({ database, schema, bus, definitions })
      const services = [outbox, bus, settings]
      for (const service of services) await service.start()
      return { settings, stop: () => Promise.all(services.toReversed().map((service) => service.stop())) }
    }
    const [one, two] = [await open(), await open()]
    const heard = nextChange(two.settings)
    await one.settings.set('log.level', 'warn', admin)
    assert.deepEqual(await heard, { name: 'log.level', value: 'warn', old: 'info' })
    await Promise.all([one.stop(), two.stop()])
  })

  it('keep who changed what, from what to what, when and why', async () => {
    const { database, schema, all } = await processes(1)
    const [settings] = all as [Settings<typeof definitions>]
    await setTestTime(database, schema, new Date('2030-05-06T07:08:09Z'))
    await settings.set('cache.ttl', '10m', admin)
    await settings.set('cache.ttl', '10m', { who: 'somebody who changed nothing' })
    await settings.set('jobs.concurrency', 5, { who: 'deploy' })
    await settings.reset('cache.ttl', { who: 'admin@example.com' })
    const changedAt = Date.parse('2030-05-06T07:08:09Z')
    const history = await settings.history()
    assert.deepEqual(
      history.map(({ id: _, ...change }) => change),
      [
        { name: 'cache.ttl', who: 'admin@example.com', old: '10m', new: undefined, reason: undefined, changedAt },
        { name: 'jobs.concurrency', who: 'deploy', old: undefined, new: 5, reason: undefined, changedAt },
        { name: 'cache.ttl', who: 'admin@example.com', old: undefined, new: '10m', reason: 'sale', changedAt },
      ],
    )
    assert.deepEqual(
      (await settings.history({ name: 'cache.ttl', limit: 1, before: history[0]!.id })).map((change) => change.new),
      ['10m'],
    )
  })

  it('set by several at once leave a history without gaps', async () => {
    const { all } = await processes(2)
    const values = Array.from({ length: 20 }, (_, i) => i + 1)
    await Promise.all(values.map((n) => all[n % 2]!.set('jobs.concurrency', n, admin)))
    const history = (await all[0]!.history()).toReversed()
    assert.equal(history.length, 20)
    for (const [i, change] of history.entries()) assert.equal(change.old, history[i - 1]?.new)
    assert.equal(all[0]!.get('jobs.concurrency'), history.at(-1)!.new)
  })

  it('refuse a value that does not fit, a name that nobody defined, and a change by nobody', async () => {
    const { all } = await processes(1)
    const [settings] = all as [Settings<typeof definitions>]
    await assert.rejects(
      settings.set('jobs.concurrency', 1_000, admin),
      (error) =>
        hasCode(error, 'E_OPTIONS') && /settings\.jobs\.concurrency must be a whole number/.test(error.message),
    )
    for (const misspelt of [
      () => settings.set('jobs.concurency', 1, admin),
      async () => settings.get('jobs.concurency'),
      async () => settings.onChange('jobs.concurency', () => {}),
      () => settings.reset('jobs.concurency', admin),
    ])
      await assert.rejects(
        misspelt,
        (error) => hasCode(error, 'E_SETTING_UNKNOWN') && /did you mean 'jobs\.concurrency'/.test(error.message),
      )
    await assert.rejects(settings.set('jobs.concurrency', 1, { who: '' }), (error) => hasCode(error, 'E_OPTIONS'))
    assert.deepEqual(await settings.history(), [])
  })

  it('that another release stored and this one cannot read are passed over with a notice', async () => {
    const { database, schema, all } = await processes(1)
    await all[0]!.set('jobs.concurrency', 50, admin)
    const notices: NoticeEvent[] = []
    const stop = listen(notice, (event) => notices.push(event))
    const older = createSettings({
      database,
      schema,
      definitions: {
        'jobs.concurrency': setting({ field: integer({ max: 20 }), default: 10, description: 'Jobs at once.' }),
      },
    })
    await older.start()
    await older.stop()
    stop()
    assert.equal(older.get('jobs.concurrency'), 10)
    assert.match(notices[0]?.message ?? '', /'jobs\.concurrency' is not one for this release/)
  })

  it('can be defined later, and have their stored value at once', async () => {
    const { all } = await processes(2)
    const later = {
      'jobs.concurrency:mail': setting({ field: integer(), default: 1, description: 'Mails at once.' }),
    }
    all[0]!.define(later)
    await all[0]!.set('jobs.concurrency:mail', 3, admin)
    await all[1]!.set('log.level', 'warn', admin)
    all[1]!.define(later)
    assert.equal(all[1]!.get('jobs.concurrency:mail'), 3)
    assert.throws(
      () => all[1]!.define(later),
      (error) => hasCode(error, 'E_OPTIONS'),
    )
  })

  it('must be described, and have a default that fits', async () => {
    const { database, schema } = await processes(1)
    for (const wrong of [
      setting({ field: integer(), default: 1, description: ' ' }),
      setting({ field: integer({ min: 5 }), default: 1, description: 'Too small.' }),
    ])
      assert.throws(
        () => createSettings({ database, schema, definitions: { 'a.b': wrong } }),
        (error) => hasCode(error, 'E_OPTIONS'),
      )
  })

  it('are listed with their value, default and description', async () => {
    const { database, schema, all } = await processes(1)
    await setTestTime(database, schema, new Date('2030-05-06T07:08:09Z'))
    await all[0]!.set('cache.ttl', '1h', admin)
    assert.deepEqual(all[0]!.list().slice(0, 2), [
      {
        name: 'cache.ttl',
        value: '1h',
        default: '5m',
        isDefault: false,
        description: 'How long an entry is fresh.',
        updatedAt: Date.parse('2030-05-06T07:08:09Z'),
      },
      {
        name: 'jobs.concurrency',
        value: 10,
        default: 10,
        isDefault: true,
        description: 'Jobs at once.',
        updatedAt: undefined,
      },
    ])
  })

  it('can be started and stopped at any time', async () => {
    const { database, schema } = await processes(1)
    await stressLifecycle(createSettings({ database, schema, bus: createMemoryBus(), definitions }))
  })
})

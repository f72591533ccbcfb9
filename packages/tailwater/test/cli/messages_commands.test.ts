import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { listen, messageDead } from '@tailwater/core'
import { createTestVhost } from '@tailwater/messaging/testing/rabbitmq'
import { startRedis } from '@tailwater/redis/testing'
import { openPlatform } from '../platform/open_platform.ts'
import { commandLine } from './command_line.ts'

const server = await startRedis()
const vhost = await createTestVhost()
after(async () => {
  await server.stop()
  await vhost.close()
})

type Store = 'postgres' | 'redis' | 'rabbitmq'

/** A platform that has started, and its command line. All of them are opened before the first test is defined. */
async function open(store: Store) {
  const jobs = { store: store === 'redis' ? 'redis' : 'postgres' } as const
  const amqp = store === 'rabbitmq' ? { amqpUrl: vhost.url } : {}
  const platform = await openPlatform({ redisUrl: server.url, jobs, ...amqp, messaging: { redact: ['email'] } })
  const seen: unknown[] = []
  const heard = new Set<() => void>()
  platform.messaging.exchange('orders').subscribe(
    'billing',
    'order.*',
    ({ body, headers, level }) => {
      if ((body as { bad?: boolean }).bad) throw new Error('bad order')
      seen.push({ body, headers, level })
      for (const tell of heard) tell()
    },
    { attempts: 1 },
  )
  await platform.start()
  // A database that is not there: with messages elsewhere it is left alone.
  const nowhere = 'postgres://127.0.0.1:1/nowhere'
  const environments: Record<Store, Record<string, string>> = {
    postgres: { DATABASE_URL: platform.config.database.url! },
    redis: { DATABASE_URL: nowhere, REDIS_URL: server.url },
    rabbitmq: { DATABASE_URL: nowhere, AMQP_URL: vhost.url },
  }
  const config = { schema: platform.config.schema, jobs, messaging: { redact: ['email'] } }
  return { store, platform, seen, heard, tailwater: commandLine(config, environments[store]) }
}

const opened = [await open('postgres'), await open('redis'), await open('rabbitmq')]

for (const { store, platform, seen, heard, tailwater } of opened) {
  async function until(count: number): Promise<void> {
    while (seen.length < count)
      await new Promise<void>((resolve) => {
        heard.add(resolve)
      })
  }

  it(`${store}: a message of the command line is handled by the process that subscribes`, async () => {
    const ran = await tailwater(
      'messages',
      'publish',
      'orders',
      'order.placed',
      '{"n":1}',
      '--header',
      'by=hand',
      '--level',
      'high',
    )
    assert.equal(ran.code, 0, ran.complaints)
    await until(1)
    assert.deepEqual(seen[0], { body: { n: 1 }, headers: { by: 'hand' }, level: 'high' })
  })

  it(`${store}: exchanges and subscriptions are listed`, async () => {
    const { exchanges } = (await tailwater('messages', 'exchanges', '--json')).json as { exchanges: { name: string }[] }
    assert.ok(exchanges.some(({ name }) => name === 'orders'))
    const { said } = await tailwater('messages', 'subscriptions')
    assert.match(said, /billing +orders:order\.\*/)
  })

  it(`${store}: dead letters are listed, looked at, put back and deleted`, async () => {
    const dead = new Promise<void>((resolve) => {
      let left = 2
      const end = listen(messageDead, () => {
        if (--left > 0) return
        end()
        resolve()
      })
    })
    for (const n of [1, 2])
      await platform.messaging.exchange('orders').publish('order.paid', { bad: true, email: 'ann@example.com', n })
    await dead
    const listed = (await tailwater('messages', 'dead', 'billing', '--json')).json as {
      letters: { id: string; body: { email: string; n: number } }[]
    }
    assert.equal(listed.letters.length, 2)
    assert.ok(listed.letters.every(({ body }) => body.email === '[redacted]'))
    const { id } = listed.letters[0]!
    assert.match((await tailwater('messages', 'dead', 'billing', id)).said, /attempt 1 at .*: Error: bad order/)
    const before = seen.length
    const redriven = await tailwater('messages', 'redrive', 'billing', id, '--body', '{"mended":true}')
    assert.match(redriven.said, /1 letter is put back/, redriven.complaints)
    await until(before + 1)
    assert.deepEqual((seen.at(-1) as { body: unknown }).body, { mended: true })
    assert.equal((await tailwater('messages', 'purge', 'billing')).code, 1)
    assert.match((await tailwater('messages', 'purge', 'billing', '--all')).said, /1 letter is deleted/)
  })

  it(`${store}: what is not there is said`, async () => {
    assert.match((await tailwater('messages', 'publish', 'nothing', 'a')).complaints, /no exchange 'nothing'/)
    assert.match((await tailwater('messages', 'publish', 'orders', 'x')).complaints, /nobody is bound to 'x'/)
    assert.match((await tailwater('messages', 'dead', 'billing', 'nowhere')).complaints, /no dead letter nowhere/)
    assert.match((await tailwater('messages', 'redrve', 'billing')).complaints, /did you mean 'messages redrive'/)
  })
}

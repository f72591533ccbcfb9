import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, it } from 'node:test'
import { databaseMigration, hasCode, listen } from '@tailwater/core'
import { freePort } from '@tailwater/core/testing'
import { startRedis } from '@tailwater/redis/testing'
import type { TailwaterConfig } from 'tailwater'
import { AMQP_GREETING, fakeBroker } from './broker.ts'
import { administratorToken, dataFolder, openPlatform } from './open_platform.ts'

async function served(config: TailwaterConfig = {}) {
  const tw = await openPlatform(config)
  const server = tw.serve(createServer(tw.express()), { port: 0 })
  after(() => server.stop(tw.clock.elapsed()))
  const firstAdministrator = await tw.start()
  await server.start()
  return { tw, server, firstAdministrator, url: server.url }
}

it('a start migrates, makes the first administrator, and answers; a stop ends it all, also called twice', async () => {
  const { tw, server, url, firstAdministrator } = await served()
  assert.equal(firstAdministrator?.email, 'admin@example.com')
  assert.deepEqual(await Promise.all(tw.migrators.map(async (one) => (await one.status()).pending)), [[]])
  assert.equal((await fetch(`${url}/health/ready`)).status, 200)
  assert.equal((await tw.start())?.email, 'admin@example.com', 'a second start joins the first')
  await server.stop()
  await tw.stop()
  await tw.stop()
  await assert.rejects(fetch(`${url}/health/ready`))
  await assert.rejects(tw.database.query('SELECT 1'), (error) => hasCode(error, 'E_DATABASE_CLOSED'))
})

it('health tells strangers little, and an administrator each dependency with its reason', async () => {
  const redis = await startRedis()
  after(() => redis.stop())
  const broker = await fakeBroker(AMQP_GREETING)
  const { tw, url } = await served({
    redisUrl: redis.url,
    amqpUrl: `amqp://u:hunter2@127.0.0.1:${broker.port}`,
    messaging: { carrier: 'jobs' },
  })
  const headers = { authorization: `Bearer ${await administratorToken(tw)}` }
  const seen = async () => {
    const response = await fetch(`${url}/health`, { headers })
    const text = await response.text()
    assert.doesNotMatch(text, /hunter2/)
    const { status, checks } = JSON.parse(text) as {
      status: string
      checks: Record<string, { status: string; reason?: string }>
    }
    return { code: response.status, status, checks }
  }
  const stranger = await fetch(`${url}/health`)
  assert.ok([401, 403, 404].includes(stranger.status))
  assert.doesNotMatch(await stranger.text(), /redis|broker/)
  const healthy = await seen()
  assert.deepEqual([healthy.code, healthy.status], [200, 'up'])
  assert.deepEqual(Object.keys(healthy.checks).toSorted(), ['broker', 'database', 'redis'])
  await redis.stop()
  const ill = await seenAfterCache(seen)
  assert.equal(ill.status, 'degraded')
  assert.equal(ill.checks['redis']?.status, 'down')
  assert.match(ill.checks['redis']?.reason ?? '', /127\.0\.0\.1/)
  assert.equal((await fetch(`${url}/health/ready`)).status, 200, 'what is not critical keeps nobody from being served')
})

/** Findings are good for a second: asks until there is a newer one. */
async function seenAfterCache<T extends { status: string }>(seen: () => Promise<T>): Promise<T> {
  for (;;) {
    const found = await seen()
    if (found.status !== 'up') return found
  }
}

it('Redis that is named and not there ends the start with one clear error, and what had started is stopped', async () => {
  const tw = await openPlatform({ redisUrl: `redis://u:hunter2@127.0.0.1:${await freePort()}` })
  await assert.rejects(
    tw.start(),
    (error) =>
      hasCode(error, 'E_REDIS_UNAVAILABLE') && /127\.0\.0\.1/.test(error.message) && !/hunter2/.test(error.message),
  )
  await assert.rejects(tw.database.query('SELECT 1'), (error) => hasCode(error, 'E_DATABASE_CLOSED'))
})

it('migrations in mode check announce nothing, and refuse to start while some are pending', async () => {
  const applied: string[] = []
  const end = listen(databaseMigration, ({ name }) => void applied.push(name))
  const tw = await openPlatform({ migrations: 'check' })
  await assert.rejects(tw.start(), (error) => hasCode(error, 'E_MIGRATIONS_PENDING'))
  end()
  assert.deepEqual(applied, [])
})

it('the file store is a folder of its own: neither the secret nor the outbox is in it', async () => {
  const tw = await openPlatform({ dataDir: dataFolder() })
  await tw.mailer.send({ to: 'a@example.com', subject: 'hello', text: 'hello' })
  await tw.files.write('report.csv', Buffer.from('a,b'))
  const keys: string[] = []
  for await (const { key } of tw.files.list('')) keys.push(key)
  assert.deepEqual(keys, ['report.csv'])
  await assert.rejects(tw.files.read('secret'), (error) => hasCode(error, 'E_FILE_NOT_FOUND'))
})

it("an address of IPv6 is written as a URL's", async () => {
  const tw = await openPlatform()
  const server = tw.serve(createServer(), { port: 0, host: '::ffff:127.0.0.1' })
  await server.start()
  assert.equal(new URL(server.url).hostname.startsWith('['), true)
  await server.stop()
})

import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { type AdminChangeEvent, adminChange, listen } from '@tailwater/core'
import { startRedis } from '@tailwater/redis/testing'
import { openPlatform } from '../platform/open_platform.ts'
import { commandLine } from './command_line.ts'

/** Resolves to the next changes that are told of. */
function told(count: number): Promise<AdminChangeEvent[]> {
  const events: AdminChangeEvent[] = []
  return new Promise((resolve) => {
    const end = listen(adminChange, (event) => {
      if (events.push(event) < count) return
      end()
      resolve(events)
    })
  })
}

it('what a command changes is told of by a running process, with who did it', async () => {
  const tw = await openPlatform({ jobs: { queues: { mail: { concurrency: 0 } } } })
  await tw.start()
  const tailwater = commandLine({ schema: tw.config.schema }, { DATABASE_URL: tw.config.database.url! })
  const { jobId } = await tw.jobs.operate
    .add({ kind: 'send', payload: {} }, { queue: 'mail' })
    .then(({ id }) => ({ jobId: id }))
  const events = told(7)
  for (const args of [
    ['jobs', 'pause', 'mail'],
    ['jobs', 'list', 'mail'],
    ['jobs', 'resume', 'mail'],
    ['jobs', 'retry', jobId],
    ['jobs', 'retry', '--queue', 'mail'],
    ['jobs', 'redrive', 'mail'],
    ['jobs', 'clean', 'mail', '--state', 'available'],
    ['cache', 'invalidate', '--tag', 'catalog', '--key', 'a', '--key', 'b'],
    ['cache', 'health'],
    ['cache', 'warm', 'No'],
    ['cache', 'warm', 'product'],
  ])
    await tailwater(...args)
  const heard = await events
  assert.deepEqual(
    heard.map(({ action, target, fields }) => [action, target, fields]),
    [
      ['queuePause', 'mail', {}],
      ['queueResume', 'mail', {}],
      ['queueRetryFailed', 'mail', { count: 0 }],
      ['queueRedrive', 'mail', { count: 0 }],
      ['queueClean', 'mail', { count: 1, states: ['available'] }],
      ['cacheInvalidate', '*', { keys: 2, tags: ['catalog'], all: false }],
      ['cacheWarm', 'product', {}],
    ],
  )
  for (const { requestId, actor, by } of heard) {
    assert.match(requestId, /^[0-9a-f-]{36}$/)
    assert.match(actor, /^\S+@\S+$/)
    assert.equal(by, 'command line')
  }
})

it('a command without a database says what it changed on its own standard error', async () => {
  const redis = await startRedis()
  after(() => redis.stop())
  const tw = await openPlatform({ redisUrl: redis.url, jobs: { store: 'redis', queues: { mail: {} } } })
  await tw.start()
  const nowhere = { DATABASE_URL: 'postgres://127.0.0.1:1/nowhere', REDIS_URL: redis.url }
  const tailwater = commandLine({ schema: tw.config.schema, jobs: { store: 'redis' } }, nowhere)
  const { code, complaints } = await tailwater('jobs', 'pause', 'mail', '--json')
  assert.equal(code, 0)
  assert.match(complaints, /^changed: \{"requestId":".*"by":"command line","action":"queuePause","target":"mail"/)
})

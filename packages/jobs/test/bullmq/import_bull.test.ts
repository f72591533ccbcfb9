import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { createMemoryBackend } from '@tailwater/jobs'
import { createRedis } from '@tailwater/redis'
import { startRedis } from '@tailwater/redis/testing'
import Bull from 'bull'
import { importBullMq } from '../../src/backends/redis/index.ts'
import { engine } from '../testing/engine.ts'

const server = await startRedis()
const redis = createRedis({ url: server.url })
await redis.start()
after(async () => {
  await redis.stop()
  await server.stop()
})

it("Bull's waiting, prioritised, paused and delayed jobs are taken over as BullMQ's are, and not what repeats", async () => {
  const queue = new Bull('mail', { redis: { host: server.host, port: server.port } })
  after(() => queue.close())
  await queue.isReady()
  for (const n of [1, 2]) await queue.add('sendWelcome', { n })
  await queue.add('sendWelcome', { n: 3 }, { priority: 4, attempts: 7 })
  const delayed = await queue.add('sendWelcome', { n: 4 }, { delay: 3_600_000 })
  await queue.add('report', {}, { repeat: { cron: '0 3 * * *' } })
  await queue.pause()
  const { jobs } = engine({ backend: createMemoryBackend() })
  jobs.define<{ n: number }>({ kind: 'send-welcome', run: () => {} })
  const report = await importBullMq({ redis, queue: 'mail', jobs })
  assert.equal(report.imported, 4)
  assert.ok(report.skipped.every(({ reason }) => /define the schedule anew/.test(reason)))
  const found = (await jobs.inspect.list()).jobs.map(({ payload, ...job }) => ({
    ...job,
    n: (payload as { n: number }).n,
  }))
  const stored = found.toSorted((a, b) => a.n - b.n)
  assert.deepEqual(
    stored.map(({ state, priority }) => [state, priority]),
    [
      ['available', 128],
      ['available', 128],
      ['available', 132],
      ['scheduled', 128],
    ],
  )
  assert.deepEqual([stored[2]?.maxAttempts, stored[3]?.runAt], [7, delayed.timestamp + 3_600_000])
})

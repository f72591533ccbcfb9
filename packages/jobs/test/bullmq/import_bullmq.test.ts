import assert from 'node:assert/strict'
import { after, afterEach, before, it } from 'node:test'
import { createRedis, type Redis } from '@tailwater/redis'
import { startRedis, type TestRedis } from '@tailwater/redis/testing'
import { Queue, Worker } from 'bullmq'
import { createMemoryBackend } from '../../src/backends/memory/memory_backend.ts'
import { importBullMq } from '../../src/backends/redis/index.ts'
import { createJobs, type Jobs } from '../../src/jobs.ts'
import type { JobView } from '../../src/operate/job_view.ts'

let server: TestRedis
let redis: Redis
let queue: Queue
let jobs: Jobs
let queues = 0
before(async () => {
  server = await startRedis()
  redis = createRedis({ url: server.url })
  await redis.start()
})
afterEach(async () => {
  await queue.close()
  await jobs.stop()
})
after(async () => {
  await redis.stop()
  await server.stop()
})

async function open(): Promise<void> {
  queue = new Queue(`mail-${++queues}`, { connection: { host: server.host, port: server.port } })
  await queue.waitUntilReady()
  jobs = createJobs({ backend: createMemoryBackend(), concurrency: 0 })
  jobs.define({ kind: 'send-welcome', run: async () => {} })
}

/** All jobs of ours, oldest first. */
async function imported(): Promise<JobView[]> {
  const found: JobView[] = []
  for await (const line of jobs.inspect.export()) found.unshift(JSON.parse(line) as JobView)
  return found
}

it('takes waiting jobs over in their order, with data, priority and attempts', async () => {
  await open()
  await queue.addBulk(Array.from({ length: 1_200 }, (_, n) => ({ name: 'sendWelcome', data: { n } })))
  await queue.add('sendWelcome', { n: -1 }, { priority: 5, attempts: 7 })
  const report = await importBullMq({ redis, queue: queue.name, jobs })
  assert.deepEqual(report, { imported: 1_201, known: 0, schedules: [], skipped: [], active: 0 })
  const stored = await imported()
  const payloads = stored.map((job) => (job.payload as { n: number }).n)
  assert.deepEqual(payloads, [...Array.from({ length: 1_200 }, (_, n) => n), -1])
  assert.deepEqual([stored[0]?.priority, stored.at(-1)?.priority, stored.at(-1)?.maxAttempts], [128, 133, 7])
})

it('takes paused and delayed jobs over, with their time', async () => {
  await open()
  await queue.add('sendWelcome', { n: 1 }, { delay: 3_600_000 })
  await queue.pause()
  await queue.add('sendWelcome', { n: 2 })
  const [delayed] = await queue.getDelayed()
  assert.equal((await importBullMq({ redis, queue: queue.name, jobs })).imported, 2)
  const [waiting, scheduled] = await imported()
  assert.deepEqual([waiting?.state, waiting?.payload], ['available', { n: 2 }])
  assert.deepEqual([scheduled?.state, scheduled?.runAt], ['scheduled', delayed!.timestamp + delayed!.delay])
})

it('takes job schedulers over as schedules, and not the jobs that they had made', async () => {
  await open()
  const template = { name: 'sendWelcome', data: { n: 3 }, opts: { attempts: 2 } }
  await queue.upsertJobScheduler('nightly', { pattern: '0 3 * * *', tz: 'Europe/Berlin' }, template)
  await queue.upsertJobScheduler('often', { every: 60_000 }, template)
  await queue.upsertJobScheduler('ended', { every: 60_000, limit: 5 }, template)
  const report = await importBullMq({ redis, queue: queue.name, jobs })
  const names = [`bullmq-${queue.name}-nightly`, `bullmq-${queue.name}-often`]
  assert.deepEqual(report.schedules.toSorted(), names)
  assert.deepEqual(report.skipped, [{ id: 'ended', reason: 'it has limit, which schedules here do not have' }])
  assert.equal(report.imported, 0)
  await jobs.start()
  const [nightly, often] = await jobs.schedules.list()
  assert.deepEqual([nightly?.name, often?.name], names)
  assert.deepEqual(nightly?.rule, { type: 'cron', cron: '0 3 * * *', timeZone: 'Europe/Berlin' })
})

it('stores nothing twice, and reads only when it is told to', async () => {
  await open()
  await queue.add('sendWelcome', { n: 1 })
  assert.equal((await importBullMq({ redis, queue: queue.name, jobs, dryRun: true })).imported, 1)
  assert.deepEqual(await imported(), [])
  assert.equal((await importBullMq({ redis, queue: queue.name, jobs })).imported, 1)
  const again = await importBullMq({ redis, queue: queue.name, jobs })
  assert.deepEqual([again.imported, again.known], [0, 1])
  assert.equal((await queue.getJobCounts())['waiting'], 1, 'what BullMQ had is left to it')
})

it('leaves out what it cannot take over, and says why', async () => {
  await open()
  await queue.addBulk([
    { name: 'unknown', data: {} },
    { name: 'sendWelcome', data: { n: 1 } },
    { name: 'sendWelcome', data: { unwanted: true } },
  ])
  const report = await importBullMq({
    redis,
    queue: queue.name,
    jobs,
    translate: ({ name, data }) =>
      (data as { unwanted?: true }).unwanted
        ? undefined
        : { kind: name === 'sendWelcome' ? 'send-welcome' : name, payload: data },
  })
  assert.deepEqual([report.imported, report.skipped.map(({ id }) => id).sort()], [1, ['1', '3']])
  assert.ok(report.skipped.some(({ id, reason }) => id === '1' && /unknown/.test(reason)))
})

it('counts what runs, and does not take it', async () => {
  await open()
  let finish = () => {}
  const running = new Promise<void>((begun) => {
    const worker = new Worker(
      queue.name,
      () => {
        begun()
        return new Promise<void>((resolve) => {
          finish = resolve
        })
      },
      { connection: { host: server.host, port: server.port, maxRetriesPerRequest: null } },
    )
    after(() => worker.close())
  })
  await queue.add('sendWelcome', { n: 1 })
  await running
  const { active, imported: count } = await importBullMq({ redis, queue: queue.name, jobs })
  assert.deepEqual([active, count], [1, 0])
  finish()
})

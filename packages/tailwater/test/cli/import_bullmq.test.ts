import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { jobAttempt, listen } from '@tailwater/core'
import { startRedis } from '@tailwater/redis/testing'
import { Queue, Worker } from 'bullmq'
import { openPlatform } from '../platform/open_platform.ts'
import { commandLine } from './command_line.ts'

const server = await startRedis()
after(() => server.stop())
let names = 0

/** A queue of BullMQ's own. */
async function bullMqQueue(options: { prefix?: string } = {}): Promise<Queue> {
  const queue = new Queue(`mail-${++names}`, { connection: { host: server.host, port: server.port }, ...options })
  after(() => queue.close())
  await queue.waitUntilReady()
  return queue
}

for (const store of ['postgres', 'redis'] as const) {
  const secret = 'a secret of the tests, long enough'
  const platform = await openPlatform({
    redisUrl: server.url,
    secret,
    jobs: { store, encrypt: true, queues: { mail: {}, idle: { concurrency: 0 } } },
  })
  await platform.start()
  const tailwater = commandLine(
    { schema: platform.config.schema, secret, jobs: { store, encrypt: true } },
    store === 'redis' ? { REDIS_URL: server.url } : { DATABASE_URL: platform.config.database.url! },
  )
  const { jobs } = platform
  const list = async () => (await jobs.inspect.list({ queue: 'idle', states: ['available', 'scheduled'] })).jobs

  it(`${store}: waiting, delayed and repeatable jobs are taken over, and run as the application says`, async () => {
    const queue = await bullMqQueue()
    await queue.addBulk([1, 2].map((n) => ({ name: 'sendWelcome', data: { n } })))
    await queue.add('sendWelcome', { n: 3 }, { delay: 3_600_000 })
    await queue.upsertJobScheduler(
      'Nightly',
      { pattern: '0 3 * * *', tz: 'Europe/Berlin' },
      { name: 'report', data: {} },
    )
    const seen: unknown[] = []
    jobs.define<object>({ kind: 'send-welcome', run: ({ payload }) => void seen.push(payload) })
    const both = new Promise<void>((resolve) => {
      const end = listen(jobAttempt, () => {
        if (seen.length < 2) return
        end()
        resolve()
      })
    })
    const { code, said, complaints } = await tailwater(
      'jobs',
      'import-bullmq',
      queue.name,
      '--to',
      'mail',
      '--from',
      server.url,
    )
    assert.equal(code, 0, complaints)
    assert.match(said, /^3 jobs are stored in 'mail'\.\nSchedules: bullmq-mail-\d+-nightly$/)
    assert.match(complaints, /^\d of 4 jobs read$/m)
    // With a database the running processes tell of it.
    if (store === 'redis') assert.match(complaints, /"action":"queueImport","target":"mail"/)
    await both
    assert.deepEqual(seen, [{ n: 1 }, { n: 2 }])
    assert.equal((await jobs.queue('mail').counts()).scheduled, 1)
    const schedule = await jobs.schedules.get(`bullmq-${queue.name}-nightly`)
    assert.deepEqual(
      [schedule?.kind, schedule?.queue, schedule?.rule],
      ['report', 'mail', { type: 'cron', cron: '0 3 * * *', timeZone: 'Europe/Berlin' }],
    )
    assert.equal(await queue.count(), 4, 'what BullMQ had is left to it')
  })

  it(`${store}: a dry run stores nothing, a second run stores nothing again`, async () => {
    const queue = await bullMqQueue()
    await queue.addBulk(Array.from({ length: 1_100 }, (_, n) => ({ name: 'sendWelcome', data: { n } })))
    const run = (...more: string[]) =>
      tailwater(
        'jobs',
        'import-bullmq',
        queue.name,
        '--to',
        'idle',
        '--from',
        server.url,
        '--kind',
        'sendWelcome=greet',
        ...more,
      )
    const dry = await run('--dry-run')
    assert.equal(dry.said, "1100 jobs would be stored in 'idle'.")
    assert.deepEqual(dry.complaints.split('\n'), [
      '500 of 1100 jobs read',
      '1000 of 1100 jobs read',
      '1100 of 1100 jobs read',
    ])
    assert.deepEqual(await list(), [])
    const { json } = await run('--json')
    const { imported, dryRun } = json as { imported: number; dryRun: boolean }
    assert.deepEqual([imported, dryRun], [1_100, false])
    const [newest] = await list()
    assert.deepEqual([newest?.kind, newest?.payload], ['greet', '[encrypted]'])
    assert.equal((await run()).said, "0 jobs are stored in 'idle'.\n1100 jobs had been stored by an import before.")
    await jobs.queue('idle').clean(['available'], 0)
  })

  it(`${store}: what is left behind is named with its reason, and ends with 3`, async () => {
    const queue = await bullMqQueue({ prefix: 'other' })
    await queue.addBulk([
      { name: '...', data: {} },
      { name: '!!!', data: {} },
      { name: 'fine', data: {} },
    ])
    await queue.upsertJobScheduler('ended', { every: 60_000, limit: 5 }, { name: 'fine', data: {} })
    const finish = await begunJob(queue, 'other')
    const args = [queue.name, '--to', 'idle', '--from', server.url, '--prefix', 'other']
    for (const more of [['--dry-run'], []]) {
      const { code, said } = await tailwater('jobs', 'import-bullmq', ...args, ...more)
      assert.equal(code, 3)
      assert.match(said, /^1 job (is|would be) stored in 'idle'\.$/m)
      assert.match(said, /^Left out: \d+: a job's kind must be/m)
      assert.match(said, /^Left out: ended: it has limit, which schedules here do not have$/m)
      assert.match(said, /^1 job still run in BullMQ: import again when they have ended\.$/m)
    }
    await finish()
    await jobs.queue('idle').clean(['available'], 0)
  })

  it(`${store}: an import that cannot be is refused with a reason`, async () => {
    for (const [args, code, hint] of [
      [['unheard-of', '--from', server.url], 1, "there is no queue 'unheard-of'"],
      [['mail', '--kind', 'greet', '--from', server.url], 1, '--kind must be NAME=KIND'],
      [['mail', '--from', 'redis://127.0.0.1:1'], 1, '127.0.0.1:1'],
      [['mail', '--from', 'no-address'], 1, 'redis'],
      [['mail', '--dry-rum'], 2, "did you mean '--dry-run'?"],
      ...(store === 'postgres' ? [[['mail'], 1, '--from redis://'] as const] : []),
    ] as const) {
      const { code: ended, complaints } = await tailwater('jobs', 'import-bullmq', ...args)
      assert.deepEqual([ended, complaints.includes(hint)], [code, true], `${args.join(' ')}: ${complaints}`)
    }
  })
}

/** Lets BullMQ begin one job; the result lets it end. */
async function begunJob(queue: Queue, prefix: string): Promise<() => Promise<void>> {
  const begun = Promise.withResolvers<void>()
  const mayEnd = Promise.withResolvers<void>()
  const worker = new Worker(
    queue.name,
    async () => {
      begun.resolve()
      await mayEnd.promise
    },
    { connection: { host: server.host, port: server.port, maxRetriesPerRequest: null }, prefix },
  )
  await begun.promise
  return async () => {
    mayEnd.resolve()
    await worker.close()
  }
}

it('jobs in the memory of a process are shown by no command', async () => {
  const { code, complaints } = await commandLine({ jobs: { store: 'memory' } }, {})('jobs', 'stats')
  assert.deepEqual([code, /jobs\.store must be 'postgres' or 'redis'/.test(complaints)], [1, true])
})

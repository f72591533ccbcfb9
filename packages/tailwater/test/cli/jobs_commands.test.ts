import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { jobAttempt, listen, newId } from '@tailwater/core'
import { PermanentError } from '@tailwater/jobs'
import { startRedis } from '@tailwater/redis/testing'
import { openPlatform } from '../platform/open_platform.ts'
import { commandLine } from './command_line.ts'

/** Resolves to the job's id when so many attempts of a kind have ended. */
function ended(kind: string, count = 1): Promise<string> {
  let left = count
  return new Promise((resolve) => {
    const end = listen(jobAttempt, (event) => {
      if (event.kind !== kind || --left > 0) return
      end()
      resolve(event.jobId)
    })
  })
}

const server = await startRedis()
after(() => server.stop())

for (const store of ['postgres', 'redis'] as const) {
  const platform = await openPlatform({
    redisUrl: server.url,
    jobs: { store, queues: { mail: {}, idle: { concurrency: 0 } }, redact: ['email'] },
  })
  const seen: unknown[] = []
  platform.jobs.define<object>({ kind: 'send', queue: 'mail', run: ({ payload }) => void seen.push(payload) })
  platform.jobs.define<object>({
    kind: 'fail',
    queue: 'mail',
    run() {
      throw new PermanentError('no such address')
    },
  })
  await platform.start()
  const tailwater = commandLine(
    { schema: platform.config.schema, jobs: { store, redact: ['email'] } },
    store === 'redis'
      ? // A database that is not there: with jobs in Redis it is left alone.
        { DATABASE_URL: 'postgres://127.0.0.1:1/nowhere', REDIS_URL: server.url }
      : { DATABASE_URL: platform.config.database.url! },
  )

  it(`${store}: a job of a kind that the command does not know is run by the process that does`, async () => {
    const done = ended('send')
    const added = await tailwater('jobs', 'add', 'mail', 'send', '{"to":"ann"}', '--priority', 'high', '--tag', 'cli')
    assert.equal(added.code, 0, added.complaints)
    const id = await done
    assert.ok(added.said.includes(id))
    assert.deepEqual(seen, [{ to: 'ann' }])
    const job = await platform.jobs.inspect.get(id)
    assert.deepEqual([job?.priority, job?.tags], [64, ['cli']])
  })

  it(`${store}: stats and list show queues and jobs, without what is to be hidden`, async () => {
    const { id } = await platform.jobs.operate.add(
      { kind: 'greet', payload: { email: 'ann@example.com', n: 1 }, options: { key: 'ann' } },
      { queue: 'idle' },
    )
    const { said } = await tailwater('jobs', 'stats')
    assert.match(said, /^queue +pending +scheduled +available .* wait p95 +run p95$/m)
    assert.match(said, /^idle +0 +0 +1 /m)
    const listed = await tailwater('jobs', 'list', 'idle', '--state', 'available', '--key', 'ann')
    assert.match(listed.said, new RegExp(`^${id} +greet +available`, 'm'))
    const { json } = await tailwater('jobs', 'list', 'idle', '--kind', 'greet', '--json')
    const { jobs } = json as { jobs: { id: string; payload: unknown }[] }
    assert.deepEqual(
      jobs.map((job) => [job.id, job.payload]),
      [[id, { email: '[redacted]', n: 1 }]],
    )
    assert.equal((await tailwater('jobs', 'list', 'idle', '--search', 'zzz')).said, 'There is no such job.')
  })

  it(`${store}: pages follow each other by the cursor that is printed`, async () => {
    for (let n = 0; n < 5; n++) await platform.jobs.operate.add({ kind: 'paged', payload: { n } }, { queue: 'idle' })
    const seen: number[] = []
    let cursor: string[] = []
    do {
      const { json } = await tailwater('jobs', 'list', 'idle', '--kind', 'paged', '--limit', '2', '--json', ...cursor)
      const { jobs, next } = json as { jobs: { payload: { n: number } }[]; next: string | null }
      seen.push(...jobs.map(({ payload }) => payload.n))
      cursor = next === null ? [] : ['--cursor', next]
    } while (cursor.length > 0)
    assert.deepEqual(seen, [4, 3, 2, 1, 0])
  })

  it(`${store}: a paused queue begins nothing until it is resumed`, async () => {
    assert.equal((await tailwater('jobs', 'pause', 'mail')).code, 0)
    assert.match((await tailwater('jobs', 'stats', 'mail')).said, /^mail \(paused\)/m)
    await tailwater('jobs', 'add', 'mail', 'send', '{"n":2}')
    assert.equal((await platform.jobs.queue('mail').counts()).available, 1)
    const done = ended('send')
    assert.equal((await tailwater('jobs', 'resume', 'mail')).code, 0)
    await done
  })

  it(`${store}: dead jobs are retried, redriven and cleaned`, async () => {
    const dead = ended('fail', 2)
    for (const key of ['k1', 'k2']) await tailwater('jobs', 'add', 'mail', 'fail', '{}', '--key', key)
    const id = await dead
    await platform.jobs.queue('mail').pause()
    assert.equal((await tailwater('jobs', 'retry', id)).said, '1 job is available again.')
    const again = await tailwater('jobs', 'retry', id)
    assert.deepEqual([again.code, /is available, and cannot be retried/.test(again.complaints)], [1, true])
    const moved = await tailwater('jobs', 'redrive', 'mail', '--kind', 'fail', '--to', 'idle', '--json')
    assert.deepEqual(moved.json, { count: 1 })
    assert.equal((await tailwater('jobs', 'retry', '--queue', 'mail')).said, '0 jobs are available again.')
    assert.deepEqual((await tailwater('jobs', 'clean', 'mail', '--state', 'available', '--json')).json, { count: 1 })
    assert.match((await tailwater('jobs', 'clean', 'mail', '--age', '1h')).said, /^0 jobs are deleted/)
    assert.ok(Number(/^(\d+)/.exec((await tailwater('jobs', 'clean', 'mail')).said)![1]) >= 2)
    await platform.jobs.queue('mail').resume()
  })

  it(`${store}: what cannot be is refused with a reason`, async () => {
    for (const [args, code, hint] of [
      [['jobs', 'list', 'unheard-of'], 1, "there is no queue 'unheard-of'; those there are: default, idle, mail"],
      [['jobs', 'list', 'mail', '--state', 'active'], 1, '--state must be one of pending'],
      [['jobs', 'list', 'mail', '--limit', '1e9'], 1, '--limit must be'],
      [['jobs', 'list', 'mail', '--cursor', 'x'], 1, '--cursor must be one that this command printed'],
      [['jobs', 'add', 'mail', 'send', '{no json'], 1, 'the payload must be JSON'],
      [['jobs', 'add', 'mail', 'No Kind'], 1, "a job's kind must be"],
      [['jobs', 'add', 'mail', 'send', '{}', '--priority', 'urgent'], 1, "'critical', 'high'"],
      [['jobs', 'add', 'mail', 'send', '{}', '--delay', 'soon'], 1, 'duration'],
      [['jobs', 'retry'], 1, 'say which'],
      [['jobs', 'retry', newId()], 1, 'there is no job'],
      [['jobs', 'clean', 'mail', '--state', 'running'], 1, 'cannot be deleted'],
      [['jobs', 'redrive', 'mail', '--to', 'unheard-of'], 1, "there is no queue 'unheard-of'"],
      [['jobs', 'lst'], 2, "did you mean 'jobs list'?"],
      [['jobs', 'add', 'mail'], 2, 'used so: <QUEUE> <KIND>'],
    ] as const) {
      const { code: ended, complaints } = await tailwater(...args)
      assert.deepEqual([ended, complaints.includes(hint)], [code, true], `${args.join(' ')}: ${complaints}`)
    }
  })
}

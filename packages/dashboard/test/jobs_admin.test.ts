import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createKeyring, jobAttempt, listen, newId } from '@tailwater/core'
import { createJobs, createMemoryBackend, type JobsBackend, jobsMigrations, PermanentError } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createRedisBackend } from '@tailwater/jobs/redis'
import { tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema } from '@tailwater/postgres/testing'
import { createRedis } from '@tailwater/redis'
import { startRedis } from '@tailwater/redis/testing'
import { changesTold, openAdmin } from './admin_fixture.ts'

interface JobBody {
  id: string
  queue: string
  kind: string
  state: string
  priority: number
  key: string | null
  attempt: number
  error: string | null
  payload: unknown
  result: unknown
  logs: string[]
  children: { id: string; result: unknown }[]
}

interface Listed<T> {
  data: T[]
  page: { next: string | null; limit: number }
}

interface QueueBody {
  queue: string
  paused: boolean
  counts: Record<string, number>
}

/** A store, and what is closed after the engine. */
interface Store {
  backend: JobsBackend
  close(): Promise<void>
}

const stores: Record<string, () => Promise<Store>> = {
  memory: async () => ({ backend: createMemoryBackend(), close: async () => {} }),
  async postgres() {
    const { database, schema, close } = await createTestSchema({ modules: [tailwaterMigrations, jobsMigrations] })
    return { backend: createPostgresBackend({ database, schema }), close }
  },
  async redis() {
    const server = await startRedis()
    const redis = createRedis({ url: server.url })
    await redis.start()
    const close = async () => {
      await redis.stop()
      await server.stop()
    }
    return { backend: createRedisBackend({ redis }), close }
  },
}

/** An engine with the kinds of these tests on three queues, and a dashboard on it. */
async function openJobs(t: TestContext, store: string) {
  const { backend, close } = await stores[store]!()
  const jobs = createJobs({
    backend,
    queues: { mail: { concurrency: 4 }, idle: { concurrency: 0 }, other: { concurrency: 0 } },
    redact: ['email'],
    keyring: createKeyring(['x'.repeat(40)]),
  })
  jobs.define<object>({
    kind: 'send',
    queue: 'mail',
    run(job) {
      job.log('sent')
      return { ok: true, token: 'secret' }
    },
  })
  jobs.define<object>({
    kind: 'fail',
    queue: 'mail',
    run() {
      throw new PermanentError('no such address')
    },
  })
  jobs.define<{ n: number }>({ kind: 'wait', queue: 'idle', run: () => {} })
  jobs.define<object>({ kind: 'secret', queue: 'idle', encrypted: true, run: () => {} })
  const opened = await openAdmin(t, { jobs, realClock: true })
  t.after(async () => {
    await jobs.stop()
    await close()
  })
  return { jobs, backend, ...opened }
}

/** Resolves to the last job's id when so many attempts of the kind have ended and the store knows. */
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

for (const name of Object.keys(stores)) {
  test(`${name}: a job that ran is shown with its log, its children and nothing that is to be hidden`, async (t) => {
    const { jobs, call } = await openJobs(t, name)
    await jobs.start()
    const done = ended('send')
    const stored = await jobs.flow({
      job: { kind: 'wait', payload: { n: 1 } },
      children: [{ kind: 'send', payload: { email: 'ann@example.com', city: 'Kiel' } }],
    })
    const id = await done
    const child = await call<JobBody>('GET', `/jobs/${id}`)
    assert.equal(child.status, 200)
    assert.deepEqual(
      [child.body.state, child.body.logs, child.body.payload, child.body.result],
      ['completed', ['sent'], { email: '[redacted]', city: 'Kiel' }, { ok: true, token: '[redacted]' }],
    )
    const parent = await call<JobBody>('GET', `/jobs/${stored.id}`)
    assert.deepEqual([parent.body.state, parent.body.children.map((one) => one.id)], ['available', [id]])
    const nothing = await call('GET', `/jobs/${newId()}`)
    assert.deepEqual([nothing.status, nothing.problem.code], [404, 'E_JOB_NOT_FOUND'])
  })

  test(`${name}: jobs of a queue are found by state, kind, key, tag, text and time, page by page`, async (t) => {
    const { jobs, call } = await openJobs(t, name)
    for (let n = 0; n < 7; n++)
      await jobs.enqueue({
        kind: 'wait',
        payload: { n, word: n % 2 ? 'odd' : 'even' },
        options: { key: `k${n % 3}`, tags: [n < 3 ? 'early' : 'late'] },
      })
    await jobs.enqueue({ kind: 'secret', payload: { n: 8 } })
    const seen: string[] = []
    let cursor = ''
    do {
      const { status, body } = await call<Listed<JobBody>>('GET', `/queues/idle/jobs?kind=wait&limit=3${cursor}`)
      assert.equal(status, 200)
      seen.push(...body.data.map(({ payload }) => String((payload as { n: number }).n)))
      cursor = body.page.next === null ? '' : `&cursor=${encodeURIComponent(body.page.next)}`
    } while (cursor !== '')
    assert.deepEqual(seen, ['6', '5', '4', '3', '2', '1', '0'])
    for (const [query, count] of [
      ['state=available', 8],
      ['state=dead', 0],
      ['key=k1', 2],
      ['tag=early', 3],
      ['search=%22odd%22', 3],
      ['kind=secret', 1],
      ['from=0&to=1000', 0],
      ['key=k1&tag=late', 1],
    ] as const) {
      const { body } = await call<Listed<JobBody>>('GET', `/queues/idle/jobs?${query}`)
      assert.equal(body.data.length, count, query)
    }
    const { body } = await call<Listed<JobBody>>('GET', '/queues/idle/jobs?kind=secret')
    assert.equal(body.data[0]?.payload, '[encrypted]')
  })

  test(`${name}: queues are listed, paused, resumed, measured and cleaned`, async (t) => {
    const told = changesTold(t)
    const { jobs, call } = await openJobs(t, name)
    await jobs.start()
    const list = await call<{ data: QueueBody[] }>('GET', '/queues')
    assert.deepEqual(
      list.body.data.map(({ queue }) => queue),
      ['default', 'idle', 'mail', 'other'],
    )
    assert.equal((await call('POST', '/queues/mail/pause')).status, 204)
    assert.equal((await call<QueueBody>('GET', '/queues/mail')).body.paused, true)
    for (const n of [1, 2])
      assert.equal((await call('POST', '/queues/mail/jobs', { kind: 'send', payload: { n } })).status, 201)
    const size = await call<{ waiting: number; running: number }>('GET', '/queues/mail/size')
    assert.deepEqual([size.body.waiting, size.body.running], [2, 0])
    const done = ended('send', 2)
    assert.equal((await call('POST', '/queues/mail/resume')).status, 204)
    await done
    assert.deepEqual((await call('POST', '/queues/mail/clean', { states: ['dead'] })).body, { count: 0 })
    assert.deepEqual((await call('POST', '/queues/mail/clean', { age: '1h' })).body, { count: 0 })
    assert.deepEqual((await call('DELETE', '/queues/mail/completed')).body, { count: 2 })
    assert.equal((await call<QueueBody>('GET', '/queues/mail')).body.counts['completed'], 0)
    assert.deepEqual(
      told.map(({ action, target }) => `${action} ${target}`),
      [
        'queuePause mail',
        'queueAdd mail',
        'queueAdd mail',
        'queueResume mail',
        'queueClean mail',
        'queueClean mail',
        'queueDeleteCompleted mail',
      ],
    )
  })

  test(`${name}: a job is added to any queue, whether or not this process knows its kind`, async (t) => {
    const { backend, jobs, call } = await openJobs(t, name)
    await jobs.start()
    const foreign = await call<{ id: string; outcome: string }>('POST', '/queues/other/jobs', {
      kind: 'of-another-program',
      payload: { n: 1 },
      delay: 60_000,
      priority: 'high',
      key: 'ann',
      tags: ['by-hand'],
      attempts: 2,
    })
    assert.deepEqual([foreign.status, foreign.body.outcome], [201, 'stored'])
    const job = await backend.inspect.get(foreign.body.id)
    assert.deepEqual(
      [job?.queue, job?.state, job?.priority, job?.key, job?.tags, job?.maxAttempts, job?.payload],
      ['other', 'scheduled', 64, 'ann', ['by-hand'], 2, '{"n":1}'],
    )
  })

  test(`${name}: dead letters are retried one by one, all together, or driven into another queue`, async (t) => {
    const { jobs, backend, call } = await openJobs(t, name)
    await jobs.start()
    const ids: string[] = []
    for (let n = 0; n < 4; n++) {
      const done = ended('fail')
      const { id } = await jobs.enqueue({ kind: 'fail', payload: { n }, options: { key: `k${n}` } })
      await done
      ids.push(id)
    }
    await jobs.queue('mail').pause()
    const dead = await call<JobBody>('GET', `/jobs/${ids[0]}`)
    assert.deepEqual([dead.body.state, /no such address/.test(dead.body.error ?? '')], ['dead', true])
    assert.equal((await call('POST', `/jobs/${ids[0]}/retry`)).status, 204)
    const again = await call('POST', `/jobs/${ids[0]}/retry`)
    assert.deepEqual([again.status, again.problem.code], [409, 'E_JOB_STATE'])
    assert.deepEqual((await call('POST', '/queues/mail/redrive', { key: 'k1', to: 'idle' })).body, { count: 1 })
    assert.equal((await backend.inspect.get(ids[1]!))?.queue, 'idle')
    assert.deepEqual((await call('POST', '/queues/mail/retry-failed')).body, { count: 2 })
    const counts = (await call<QueueBody>('GET', '/queues/mail')).body.counts
    assert.deepEqual([counts['available'], counts['dead']], [3, 0])
  })

  test(`${name}: a job is edited, put back, cancelled and deleted; what is hidden is not written over`, async (t) => {
    const { jobs, backend, call } = await openJobs(t, name)
    await jobs.start()
    const { id } = await jobs.enqueue({ kind: 'wait', payload: { n: 1 }, options: { delay: '1h' } })
    const edited = await call<JobBody>('PATCH', `/jobs/${id}`, { payload: { n: 2 }, priority: 5, queue: 'other' })
    assert.deepEqual(
      [edited.status, edited.body.payload, edited.body.priority, edited.body.queue, edited.body.state],
      [200, { n: 2 }, 5, 'other', 'scheduled'],
    )
    const hidden = await call('PATCH', `/jobs/${id}`, { payload: { list: [{ email: '[redacted]' }] } })
    assert.deepEqual([hidden.status, hidden.problem.errors?.[0]?.path], [400, '/body/payload'])
    assert.equal((await backend.inspect.get(id))?.payload, '{"n":2}')
    const back = await call<JobBody>('PATCH', `/jobs/${id}`, { payload: { n: 3 }, requeue: true })
    assert.equal(back.body.state, 'available')
    assert.equal((await call('POST', `/jobs/${id}/cancel`)).status, 204)
    assert.equal((await call<JobBody>('GET', `/jobs/${id}`)).body.state, 'cancelled')
    assert.equal((await call('POST', `/jobs/${id}/cancel`)).status, 409)
    assert.equal((await call('DELETE', `/jobs/${id}`)).status, 204)
    assert.equal((await call('DELETE', `/jobs/${id}`)).status, 404)
  })

  test(`${name}: the jobs of a person are erased by their key, which is told to nobody`, async (t) => {
    const told = changesTold(t)
    const { jobs, backend, call } = await openJobs(t, name)
    for (const key of ['ann@example.com', 'ann@example.com', 'bob'])
      await jobs.enqueue({ kind: 'wait', payload: { n: 1 }, options: { key } })
    assert.deepEqual((await call('POST', '/jobs/erase', { key: 'ann@example.com' })).body, { count: 2 })
    const left = await backend.inspect.list({}, { limit: 10 })
    assert.deepEqual(
      left.jobs.map(({ key }) => key),
      ['bob'],
    )
    assert.equal(told.length, 1)
    assert.doesNotMatch(JSON.stringify(told), /ann@/)
  })

  test(`${name}: schedules are previewed, paused, resumed and run at once`, async (t) => {
    const { jobs, call } = await openJobs(t, name)
    await jobs.schedule('nightly', { cron: '0 3 * * *', timeZone: 'Europe/Berlin', kind: 'wait', payload: { n: 9 } })
    await jobs.start()
    interface Schedules {
      data: { name: string; paused: boolean; nextAt: number | null; next: number[]; kind: string }[]
    }
    const list = await call<Schedules>('GET', '/schedules?next=3')
    const [nightly] = list.body.data
    assert.deepEqual(
      [nightly?.name, nightly?.kind, nightly?.paused, nightly?.next.length],
      ['nightly', 'wait', false, 3],
    )
    assert.equal(nightly?.next[0], nightly?.nextAt)
    assert.equal((await call('POST', '/schedules/nightly/pause')).status, 204)
    assert.equal((await call<Schedules>('GET', '/schedules')).body.data[0]?.paused, true)
    const run = await call<{ id: string }>('POST', '/schedules/nightly/run')
    assert.equal(run.status, 201)
    assert.deepEqual((await call<JobBody>('GET', `/jobs/${run.body.id}`)).body.payload, { n: 9 })
    assert.equal((await call('POST', '/schedules/nightly/resume')).status, 204)
    assert.equal((await call<Schedules>('GET', '/schedules')).body.data[0]?.paused, false)
    for (const verb of ['pause', 'resume', 'run']) {
      const { status, problem } = await call('POST', `/schedules/unheard-of/${verb}`)
      assert.deepEqual([status, problem.code], [404, 'E_JOB_SCHEDULE'])
    }
  })

  test(`${name}: bad input is the caller's fault, and names its field`, async (t) => {
    const { jobs, call } = await openJobs(t, name)
    await jobs.start()
    const { id } = await jobs.enqueue({ kind: 'wait', payload: { n: 1 } })
    const { id: foreign } = await jobs.operate.add({ kind: 'foreign', payload: {} }, { queue: 'other' })
    for (const [method, path, body, place] of [
      ['GET', '/queues/idle/jobs?cursor=x', undefined, '/query/cursor'],
      ['GET', `/queues/idle/jobs?cursor=${'-'.repeat(36)}`, undefined, '/query/cursor'],
      ['GET', '/queues/idle/jobs?limit=201', undefined, '/query/limit'],
      ['GET', '/queues/idle/jobs?limit=-1', undefined, '/query/limit'],
      ['GET', '/queues/idle/jobs?state=active', undefined, '/query/state'],
      ['GET', '/queues/idle/jobs?from=1e300', undefined, '/query/from'],
      ['GET', '/queues/no%20queue', undefined, '/params/queue'],
      ['GET', '/jobs/1', undefined, '/params/id'],
      ['POST', '/queues/idle/jobs', { kind: 'wait' }, '/body/payload'],
      ['POST', '/queues/idle/jobs', { kind: 'No Kind', payload: 1 }, '/body/kind'],
      ['POST', '/queues/idle/jobs', { kind: 'wait', payload: 'x'.repeat(300_000) }, '/body/payload'],
      ['POST', '/queues/idle/jobs', { kind: 'wait', payload: 1, priority: 256 }, '/body/priority'],
      ['POST', '/queues/idle/jobs', { kind: 'wait', payload: 1, attempts: 0 }, '/body/attempts'],
      ['POST', '/queues/idle/clean', { age: 'a while' }, '/body/age'],
      ['POST', '/queues/idle/clean', { states: ['running'] }, '/body/states/0'],
      ['POST', '/queues/idle/redrive', { to: 'unheard-of' }, '/body/to'],
      ['PATCH', `/jobs/${id}`, {}, '/body'],
      ['PATCH', `/jobs/${id}`, { queue: 'unheard-of' }, '/body/queue'],
      ['PATCH', `/jobs/${foreign}`, { payload: {} }, '/body/payload'],
      ['GET', '/schedules?next=101', undefined, '/query/next'],
    ] as const) {
      const { status, problem } = await call(method, path, body)
      assert.deepEqual([status, problem.errors?.[0]?.path], [400, place], `${path} ${JSON.stringify(problem)}`)
    }
    for (const [method, path, body] of [
      ['GET', '/queues/unheard-of', undefined],
      ['GET', '/queues/unheard-of/size', undefined],
      ['GET', '/queues/unheard-of/jobs', undefined],
      ['POST', '/queues/unheard-of/jobs', { kind: 'wait', payload: 1 }],
      ['POST', '/queues/unheard-of/pause', undefined],
      ['POST', '/queues/unheard-of/retry-failed', undefined],
      ['DELETE', '/queues/unheard-of/completed', undefined],
    ] as const) {
      const { status, problem } = await call(method, path, body)
      assert.deepEqual([status, problem.code], [404, 'E_JOB_QUEUE_UNKNOWN'], path)
    }
    assert.deepEqual(await jobs.inspect.queues(), ['default', 'idle', 'mail', 'other'], 'asking makes no queue')
  })
}

test('everybody with an account may look at jobs, administrators may change them, strangers nothing', async (t) => {
  const told = changesTold(t)
  const { dashboard, jobs, look, strange } = await openJobs(t, 'memory')
  await jobs.schedule('nightly', { every: '1h', kind: 'wait', payload: { n: 1 } })
  await jobs.start()
  const { id } = await jobs.enqueue({ kind: 'wait', payload: { n: 1 } })
  const before = await jobs.inspect.get(id)
  const routes = dashboard.routes.filter(({ path }) => /\/api\/(queues|jobs|schedules)/.test(path))
  assert.equal(routes.length, 21)
  for (const { method, path } of routes) {
    const at = path
      .replace('/tailwater/api', '')
      .replace(':queue', 'idle')
      .replace(':id', id)
      .replace(':name', 'nightly')
    const { status } = await look(method, at)
    assert.equal(status, method === 'GET' ? 200 : 403, `${method} ${path}`)
    assert.equal((await strange(method, at)).status, 401, `${method} ${path}`)
  }
  assert.deepEqual(await jobs.inspect.get(id), before)
  assert.equal((await jobs.queue('idle').stats()).paused, false)
  assert.deepEqual(told, [])
})

test('the OpenAPI document has every operation, with its body and its answers', async (t) => {
  const { call } = await openJobs(t, 'memory')
  const { body } = await call<{ paths: Record<string, Record<string, { operationId: string }>> }>(
    'GET',
    '/openapi.json',
  )
  const ids = Object.values(body.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  for (const id of [
    'queues',
    'queueJobs',
    'queueAdd',
    'queueRedrive',
    'job',
    'jobEdit',
    'jobsErase',
    'schedules',
    'scheduleRun',
  ])
    assert.ok(ids.includes(id), id)
})

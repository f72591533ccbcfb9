import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createKeyring, hasCode, jobAttempt, listen } from '@tailwater/core'
import { createJobs, createMemoryBackend, type JobsBackend, type JobView, PermanentError } from '@tailwater/jobs'
import { engine, nextAttempt, nextTurn } from './testing/engine.ts'

const secrets = ['the first secret of the tests, long enough', 'the second secret of the tests, long enough'] as const

it('payloads and results are shown without what is to be hidden: secrets always, names and paths as asked for', async () => {
  const { jobs, backend } = engine({ redact: ['email', 'customer.name'] })
  const kind = jobs.define<object>({
    kind: 'private',
    redact: ['items.*.note'],
    run: () => ({ token: 't', ok: true }),
  })
  await jobs.start()
  const attempt = nextAttempt('private')
  const id = await kind.enqueue({
    to: { Email: 'ann@example.com' },
    'api-key': 'k',
    name: 'kept',
    customer: { name: 'Ann', city: 'Kiel' },
    items: [{ note: 'n', id: 1 }],
  })
  await attempt
  const wanted = {
    payload: {
      to: { Email: '[redacted]' },
      'api-key': '[redacted]',
      name: 'kept',
      customer: { name: '[redacted]', city: 'Kiel' },
      items: [{ note: '[redacted]', id: 1 }],
    },
    result: { token: '[redacted]', ok: true },
  }
  const shown = [await jobs.inspect.get(id), (await jobs.inspect.list()).jobs[0]]
  for await (const line of jobs.inspect.export()) shown.push(JSON.parse(line) as JobView)
  assert.equal(shown.length, 3)
  for (const view of shown) assert.deepEqual({ payload: view?.payload, result: view?.result }, wanted)
  assert.match((await backend.inspect.get(id))?.payload ?? '', /ann@example\.com/)
})

it('secrets are hidden by whatever name they have in the language of the trade', async () => {
  const { jobs } = engine({ concurrency: 0 })
  const names = ['clientSecret', 'session_token', 'AWS-Access-Key', 'privateKey', 'db_password', 'Set-Cookie', 'cvv']
  const payload = Object.fromEntries([...names, 'note'].map((name) => [name, 'kept']))
  const id = await jobs.define<object>({ kind: 'trade', run: () => 0 }).enqueue(payload)
  const shown = Object.entries((await jobs.inspect.get(id))?.payload ?? {}).filter(([, value]) => value === 'kept')
  assert.deepEqual(shown, [['note', 'kept']])
})

it('an encrypted payload is nowhere to be read but in its handler', async () => {
  const { jobs, backend } = engine({ keyring: createKeyring([secrets[0]]) })
  const seen: unknown[] = []
  const kind = jobs.define<object>({
    kind: 'closed',
    encrypted: true,
    run({ payload }) {
      seen.push(payload)
      return payload
    },
  })
  await jobs.start()
  const attempt = nextAttempt('closed')
  const id = await kind.enqueue({ iban: 'DE00 1234' })
  await attempt
  assert.deepEqual(seen, [{ iban: 'DE00 1234' }])
  const stored = JSON.stringify(await backend.inspect.get(id))
  assert.doesNotMatch(stored, /DE00|iban/)
  const view = await jobs.inspect.get(id)
  assert.deepEqual([view?.payload, view?.result], ['[encrypted]', '[encrypted]'])
})

it('after a rotation jobs encrypted before can be run, and without the old secret they fail with a code', async () => {
  const { jobs, backend, clock } = engine({ keyring: createKeyring([secrets[0]]), concurrency: 0 })
  const ids = []
  for (let n = 0; n < 2; n++)
    ids.push(await jobs.define<number>({ kind: `closed-${n}`, encrypted: true, run: () => 0 }).enqueue(n))
  const rotated = engine({ backend, clock, keyring: createKeyring([secrets[1], secrets[0]]) })
  rotated.jobs.define<number>({ kind: 'closed-0', encrypted: true, run: ({ payload }) => ({ read: payload }) })
  const done = nextAttempt('closed-0')
  await rotated.jobs.start()
  assert.equal((await done).outcome, 'completed')
  await rotated.jobs.stop()
  const without = engine({ backend, clock, keyring: createKeyring([secrets[1]]) })
  without.jobs.define<number>({ kind: 'closed-1', encrypted: true, run: () => 0 })
  const failed = nextAttempt('closed-1')
  await without.jobs.start()
  await clock.advance(60_000)
  const { outcome, error } = await failed
  assert.equal(outcome, 'retryable')
  assert.ok(hasCode(error, 'E_JOB_DECRYPT'))
})

it('an encrypted text that was changed, or belongs to another kind, is refused; one that was never encrypted is read', async () => {
  const { jobs, backend } = engine({ keyring: createKeyring([secrets[0]]) })
  const seen: unknown[] = []
  const kinds = ['left', 'right'].map((kind) =>
    jobs.define<string>({ kind, encrypted: true, attempts: 1, run: ({ payload }) => void seen.push(payload) }),
  )
  const [left, right, plain] = [
    await kinds[0]!.enqueue('l'),
    await kinds[1]!.enqueue('r'),
    await kinds[0]!.enqueue('p'),
  ]
  const stored = (await backend.inspect.get(left!))!.payload
  await backend.maintain.edit(right!, { payload: stored })
  const at = stored.length - 6
  await backend.maintain.edit(left!, {
    payload: `${stored.slice(0, at)}${stored[at] === 'A' ? 'B' : 'A'}${stored.slice(at + 1)}`,
  })
  await backend.maintain.edit(plain!, { payload: '"plain"' })
  const done = nextAttempt(({ jobId }) => jobId === plain)
  await jobs.start()
  await done
  for (const id of [left!, right!]) {
    const job = await jobs.inspect.get(id)
    assert.equal(job?.state, 'dead')
    assert.match(job?.error ?? '', /^E_JOB_DECRYPT/)
  }
  assert.deepEqual(seen, ['plain'])
})

it('an edited payload is checked and written as its kind demands', async () => {
  const { jobs, backend } = engine({ keyring: createKeyring([secrets[0]]), concurrency: 0 })
  const kind = jobs.define<object>({ kind: 'edited', encrypted: true, run: () => 0 })
  const id = await kind.enqueue({ a: 1 })
  assert.equal(await jobs.operate.edit(id, { payload: { b: 2 }, priority: 'critical' }), true)
  const stored = await backend.inspect.get(id)
  assert.deepEqual([stored?.priority, stored?.payload.startsWith('"tw-enc1:')], [0, true])
  await assert.rejects(jobs.operate.edit(id, { payload: 1n }), (error) => hasCode(error, 'E_JOB_PAYLOAD'))
  await assert.rejects(jobs.operate.edit('none', { payload: 1 }), (error) => hasCode(error, 'E_JOB_NOT_FOUND'))
  const other = engine({ backend })
  await assert.rejects(other.jobs.operate.edit(id, { payload: 1 }), (error) => hasCode(error, 'E_JOB_KIND_UNKNOWN'))
})

it('dead jobs of a queue are put back, all of them, and only dead ones', async () => {
  const { jobs, clock } = engine({ queues: { mail: { concurrency: 1_000 } } })
  let isBroken = true
  const kind = jobs.define<number>({
    kind: 'fragile',
    queue: 'mail',
    attempts: 1,
    run() {
      if (isBroken) throw new Error('broken')
    },
  })
  const stored = await kind.enqueueMany(Array.from({ length: 1_200 }, (_, n) => n))
  const last = nextAttempt(({ jobId }) => jobId === stored.at(-1)!.id)
  await jobs.start()
  await last
  assert.equal((await jobs.queue('mail').counts()).dead, 1_200)
  isBroken = false
  assert.equal(await jobs.queue('mail').redrive(), 1_200)
  await clock.advance(10_000)
  assert.equal((await jobs.queue('mail').counts()).completed, 1_200)
  assert.equal(await jobs.operate.redrive(), 0)
})

it('a paused queue begins nothing, a resumed one goes on at once', async () => {
  const { jobs, clock } = engine()
  const kind = jobs.define<number>({ kind: 'halted', run: () => 0 })
  await jobs.start()
  await jobs.queue('default').pause()
  const id = await kind.enqueue(1)
  await clock.advance(60_000)
  assert.equal((await jobs.inspect.get(id))?.state, 'available')
  const attempt = nextAttempt('halted')
  await jobs.queue('default').resume()
  assert.equal((await attempt).outcome, 'completed')
})

it("a person's jobs are erased by their key", async () => {
  const { jobs } = engine()
  const kind = jobs.define<{ user: string }>({ kind: 'personal', key: ({ user }) => user, run: () => 0 })
  await kind.enqueueMany(['ann', 'ben', 'ann'].map((user) => ({ user })))
  assert.equal(await jobs.operate.erase('ann'), 2)
  const { jobs: left } = await jobs.inspect.list()
  assert.deepEqual(
    left.map(({ key }) => key),
    ['ben'],
  )
})

it('an export has every job of a filter once, a line each', async () => {
  const { jobs } = engine({ concurrency: 0 })
  const kind = jobs.define<number>({ kind: 'exported', run: () => 0 })
  const stored = await kind.enqueueMany(Array.from({ length: 1_201 }, (_, n) => n))
  const ids = new Set<string>()
  for await (const line of jobs.inspect.export({ kind: 'exported' }, { raw: true })) {
    assert.ok(line.endsWith('\n'))
    ids.add((JSON.parse(line) as { id: string }).id)
  }
  assert.deepEqual(ids, new Set(stored.map(({ id }) => id)))
})

it('limits and retention of the configuration hold in the store', async () => {
  const { jobs, backend } = engine({
    queues: {
      mail: {
        limits: { concurrency: 4, rate: { count: 10, per: '1s' }, perKey: { concurrency: 1 }, fair: true },
        retention: { completed: '1h', dead: { age: '2d', count: 9 } },
      },
    },
  })
  const told: unknown[] = []
  backend.maintain.configure = async (...given) => void told.push(given)
  await jobs.start()
  const hour = 3_600_000
  assert.deepEqual(told.at(-1), [
    'mail',
    { concurrency: 4, rate: { count: 10, per: 1_000 }, perKey: { concurrency: 1 }, fair: true },
    { completed: { age: hour }, cancelled: { age: 168 * hour }, dead: { age: 48 * hour, count: 9 } },
  ])
})

it('an operator adds jobs of any kind: of a known one as it is defined, of another one as they are', async () => {
  const { jobs, backend } = engine({ queues: { mail: {} } })
  jobs.define<object>({ kind: 'known', queue: 'mail', attempts: 2, priority: 'high', run: () => {} })
  const known = await jobs.operate.add({ kind: 'known', payload: { a: 1 } })
  const moved = await jobs.operate.add({ kind: 'known', payload: { a: 2 } }, { queue: 'elsewhere' })
  const foreign = await jobs.operate.add(
    { kind: 'of-another-program', payload: { b: [1] }, options: { key: 'ann', delay: '1m' } },
    { queue: 'elsewhere' },
  )
  const stored = await Promise.all([known, moved, foreign].map(({ id }) => backend.inspect.get(id)))
  assert.deepEqual(
    stored.map((job) => [job?.queue, job?.payload, job?.maxAttempts, job?.priority, job?.state]),
    [
      ['mail', '{"a":1}', 2, 64, 'available'],
      ['elsewhere', '{"a":2}', 2, 64, 'available'],
      ['elsewhere', '{"b":[1]}', 5, 128, 'scheduled'],
    ],
  )
  assert.equal(stored[2]?.key, 'ann')
  await assert.rejects(
    async () => jobs.operate.add({ kind: 'No Kind', payload: {} }),
    (error) => hasCode(error, 'E_JOB_KIND'),
  )
})

it('dead jobs that die again at once are redriven once, not for ever', async () => {
  const memory = createMemoryBackend()
  let lives = 0
  const died = async (count: number) => {
    while (lives < count) await nextAttempt('doomed')
  }
  const backend: JobsBackend = {
    ...memory,
    maintain: {
      ...memory.maintain,
      // Between two bites the jobs of the first have died again.
      async redrive(...args) {
        const count = await memory.maintain.redrive(...args)
        await died(lives + count)
        return count
      },
    },
  }
  const jobs = createJobs({ backend })
  const doomed = jobs.define<object>({
    kind: 'doomed',
    run() {
      throw new PermanentError('no')
    },
  })
  const end = listen(jobAttempt, ({ kind }) => void (kind === 'doomed' && lives++))
  await jobs.start()
  await doomed.enqueueMany([{}, {}, {}])
  await died(3)
  assert.equal(await jobs.operate.redrive({ kind: 'doomed' }), 3)
  assert.equal(lives, 6)
  end()
  await jobs.stop()
})

it('a filter with a misspelt condition, or a state that there is not, means nothing: it is refused before anything is shown, retried or deleted', async () => {
  const { jobs } = engine({ concurrency: 0 })
  const kind = jobs.define<number>({ kind: 'kept', run: () => 0 })
  await kind.enqueue(1)
  const { inspect, operate } = jobs
  const refused = [
    () => inspect.list({ qeue: 'default' } as never),
    () => inspect.list({ states: ["x') OR (true"] } as never),
    () => inspect.list({}, { limit: Number.NaN }),
    () =>
      inspect
        .export({ tags: 'a' } as never)
        [Symbol.asyncIterator]()
        .next(),
    () => operate.redrive({ quue: 'default' } as never),
    () => operate.redrive({}, { two: 'default' } as never),
    () => operate.redrive({}, { to: 'No Queue' }),
    () => jobs.queue('default').redrive({ kinds: 'kept' } as never),
    () => operate.clean({} as never, 0),
    () => operate.clean({ states: ['ended'] } as never, 0),
    () => operate.clean({ states: ['available'], quue: 'other' } as never, 0),
  ]
  for (const act of refused) await assert.rejects(act, (error) => hasCode(error, 'E_OPTIONS'), String(act))
  assert.equal((await jobs.counts()).available, 1)
})

it('erasing without a key is refused: it would mean every job that has none', async () => {
  const { jobs } = engine({ concurrency: 0 })
  const kind = jobs.define<number>({ kind: 'keyless', run: () => 0 })
  await kind.enqueue(1)
  for (const key of [undefined, null, '', 5, 'x'.repeat(256)])
    await assert.rejects(jobs.operate.erase(key as never), (error) => hasCode(error, 'E_OPTIONS'))
  assert.equal((await jobs.counts()).available, 1)
})

it('a change of a job that cannot be is refused, and the job stays as it was', async () => {
  const { jobs } = engine({ concurrency: 0 })
  const id = await jobs.define<number>({ kind: 'changed', run: () => 0 }).enqueue(1, { delay: '1h' })
  const before = await jobs.inspect.get(id)
  const changes = [{ runAt: Number.NaN }, { runAt: 1e300 }, { queue: 5 }, { queue: 'No Queue' }, { prioriti: 1 }, null]
  for (const change of changes)
    await assert.rejects(jobs.operate.edit(id, change as never), (error) => hasCode(error, 'E_OPTIONS'))
  assert.deepEqual(await jobs.inspect.get(id), before)
})

it('the statistics of a queue tell how long jobs waited and ran', async () => {
  const { jobs, clock } = engine()
  const gate = Promise.withResolvers<void>()
  const kind = jobs.define<null>({ kind: 'measured', run: () => gate.promise })
  const id = await kind.enqueue(null)
  await clock.advance(2_000)
  const begun = nextTurn(({ claimed }) => claimed === 1)
  await jobs.start()
  await begun
  await clock.advance(500)
  const attempt = nextAttempt('measured')
  gate.resolve()
  assert.equal((await attempt).jobId, id)
  // Workers tell every five seconds, and when they stop.
  assert.equal((await jobs.queue('default').stats()).run, undefined)
  await clock.advance(5_000)
  const { wait, run } = await jobs.queue('default').stats()
  assert.deepEqual([wait?.count, run?.count], [1, 1])
  for (const [shown, wanted] of [
    [wait!.p99, 2_000],
    [run!.p50, 500],
  ] as const)
    assert.ok(Math.abs(shown / wanted - 1) < 0.05, `${shown} instead of ${wanted}`)
})

it('names that can be none of a queue are refused, and ends of time are where the calendar has them', async () => {
  const { jobs } = engine()
  const kind = jobs.define<number>({ kind: 'note', run: () => 0 })
  const isRefused = (error: unknown) => hasCode(error, 'E_OPTIONS')
  for (const name of ['', 'a\0b', '{x}', 'a mail', undefined as never]) {
    assert.throws(() => jobs.queue(name), isRefused)
    await assert.rejects(jobs.inspect.stats(name), isRefused)
    if (name !== undefined) await assert.rejects(jobs.counts(name), isRefused)
  }
  await assert.rejects(jobs.inspect.list({ text: 'a\0b' }), isRefused)
  await assert.rejects(jobs.operate.clean({ states: ['dead'] }, 1e300), isRefused)
  await assert.rejects(jobs.configure('default', null as never), isRefused)
  await assert.rejects(jobs.configure('default', { concurrency: null as never }), isRefused)
  const id = await kind.enqueue(1, { delay: '1h' })
  assert.equal((await jobs.inspect.list({ from: -1e300, to: 1e300 }, { limit: 1.5 })).jobs.length, 1)
  assert.equal(await jobs.operate.edit(id, { runAt: new Date(-8.64e15) }), true)
  assert.equal((await jobs.inspect.get(id))?.state, 'available')
})

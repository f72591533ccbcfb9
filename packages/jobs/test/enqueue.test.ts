import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasCode, type JobEnqueuedEvent, jobEnqueued, listen, runInContext } from '@tailwater/core'
import type { EnqueueJobOptions, EnqueuePort, NewJob } from '@tailwater/jobs'
import * as z from 'zod'
import { engine, nextAttempt } from './testing/engine.ts'

it('calls of one tick are stored in one batch, later ones while two are under way in the next', async () => {
  const { backend: memory, clock } = engine()
  const batches: number[] = []
  const gate = Promise.withResolvers<void>()
  const port: EnqueuePort = {
    ...memory.jobs,
    maxBatch: 40,
    async add(given) {
      batches.push(given.length)
      await gate.promise
      return memory.jobs.add(given)
    },
  }
  const { jobs } = engine({ backend: { ...memory, jobs: port }, clock })
  const kind = jobs.define<number>({ kind: 'many', run: () => 0 })
  const calls = Array.from({ length: 100 }, (_, n) => kind.enqueue(n))
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(batches, [40, 40])
  calls.push(...Array.from({ length: 5 }, (_, n) => kind.enqueue(n)))
  gate.resolve()
  assert.equal(new Set(await Promise.all(calls)).size, 105)
  assert.deepEqual(batches, [40, 40, 25])
  assert.equal((await jobs.counts()).available, 105)
})

it('a batch that fails rejects all of its calls, and later ones succeed', async () => {
  const { backend: memory, clock } = engine()
  let failures = 1
  const add = async (given: readonly NewJob[]) => {
    if (failures-- > 0) throw new Error('the store is away')
    return memory.jobs.add(given)
  }
  const { jobs } = engine({ backend: { ...memory, jobs: { ...memory.jobs, add } }, clock })
  const kind = jobs.define<number>({ kind: 'unlucky', run: () => 0 })
  const calls = await Promise.allSettled([kind.enqueue(1), kind.enqueue(2)])
  assert.deepEqual(
    calls.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  await kind.enqueue(3)
  assert.equal((await jobs.counts()).available, 1)
})

it('many jobs are stored in batches of what the store takes, and each is told what became of it', async () => {
  const { backend: memory, clock } = engine()
  const batches: number[] = []
  const add = async (given: readonly NewJob[]) => {
    batches.push(given.length)
    return memory.jobs.add(given)
  }
  const { jobs } = engine({ backend: { ...memory, jobs: { ...memory.jobs, maxBatch: 400, add } }, clock })
  const kind = jobs.define<number>({ kind: 'bulk', unique: { by: 'payload' }, run: () => 0 })
  const stored = await kind.enqueueMany(Array.from({ length: 1_000 }, (_, n) => n % 999))
  assert.deepEqual(batches, [400, 400, 200])
  assert.deepEqual(stored.at(-1), { id: stored[0]!.id, outcome: 'duplicate' })
})

it('an event tells of each stored job, in the context of its call', async () => {
  const { jobs } = engine()
  const kind = jobs.define<number>({ kind: 'told', unique: { by: 'payload' }, run: () => 0 })
  const events: JobEnqueuedEvent[] = []
  const end = listen(jobEnqueued, (event) => events.push(event))
  const calls = [1, 1, 2].map((n, index) => runInContext({ requestId: `r-${index}` }, () => kind.enqueue(n)))
  const ids = await Promise.all(calls)
  end()
  assert.deepEqual(
    events.map(({ requestId, jobId, queue }) => [requestId, jobId, queue]),
    [
      ['r-0', ids[0], 'default'],
      ['r-2', ids[2], 'default'],
    ],
  )
})

it('what one call says comes before what its kind says', async () => {
  const { jobs, backend } = engine()
  const kind = jobs.define<{ tenant: string }>({
    kind: 'detailed',
    key: ({ tenant }) => tenant,
    priority: 'low',
    attempts: 2,
    timeout: '5s',
    tags: ['a'],
    run: () => 0,
  })
  const plain = await backend.inspect.get(await kind.enqueue({ tenant: 't' }))
  assert.deepEqual(
    [plain?.key, plain?.priority, plain?.maxAttempts, plain?.timeout, plain?.tags, plain?.state],
    ['t', 192, 2, 5_000, ['a'], 'available'],
  )
  const options = { key: 'u', priority: 'critical', attempts: 9, timeout: 70, tags: ['b'], delay: '1m' } as const
  const said = await backend.inspect.get(await kind.enqueue({ tenant: 't' }, options))
  assert.deepEqual(
    [said?.key, said?.priority, said?.maxAttempts, said?.timeout, said?.tags, said?.state],
    ['u', 0, 9, 70, ['a', 'b'], 'scheduled'],
  )
})

it('jobs are unique by kind, by payload in any order of its names, by key, or by a text', async () => {
  const { jobs } = engine()
  const kind = jobs.define<{ a: number; b?: number }>({ kind: 'unique', run: () => 0 })
  const other = jobs.define<{ a: number }>({ kind: 'other', run: () => 0 })
  const pairs = [
    [kind.enqueue({ a: 1 }, { unique: { by: 'kind' } }), kind.enqueue({ a: 2 }, { unique: { by: 'kind' } })],
    [
      kind.enqueue({ a: 1, b: 2 }, { unique: { by: 'payload' } }),
      kind.enqueue({ b: 2, a: 1 }, { unique: { by: 'payload' } }),
    ],
    [
      kind.enqueue({ a: 3 }, { key: 'k', unique: { by: 'key' } }),
      kind.enqueue({ a: 4 }, { key: 'k', unique: { by: 'key' } }),
    ],
    [kind.enqueue({ a: 5 }, { unique: { by: 'x' } }), kind.enqueue({ a: 6 }, { unique: { by: 'x' } })],
  ]
  for (const pair of pairs) assert.equal(new Set(await Promise.all(pair)).size, 1)
  const others = ['kind', 'payload', 'x'].map((by) => other.enqueue({ a: 1 }, { unique: { by } }))
  await Promise.all(others)
  assert.equal((await jobs.counts()).available, 7)
})

it('a schema checks what is enqueued, and its handler gets what the schema makes of it', async () => {
  const { jobs, backend } = engine()
  const schema = z.object({ at: z.iso.datetime().transform((text) => new Date(text)), n: z.number().default(3) })
  const seen: { at: Date; n: number }[] = []
  const kind = jobs.define({ kind: 'checked', schema, run: ({ payload }) => void seen.push(payload) })
  await jobs.start()
  const attempt = nextAttempt('checked')
  const id = await kind.enqueue({ at: '2030-01-01T00:00:00Z' })
  await attempt
  assert.deepEqual(seen, [{ at: new Date('2030-01-01T00:00:00Z'), n: 3 }])
  assert.equal((await backend.inspect.get(id))?.payload, '{"at":"2030-01-01T00:00:00Z"}')
  await assert.rejects(kind.enqueue({ at: 'tomorrow' }), (error) => {
    assert.ok(hasCode(error, 'E_JOB_PAYLOAD'))
    assert.match(error.message, /'checked' is not valid: at: /)
    return true
  })
})

it('a stored payload that the schema does not take any more makes the job dead, and nothing else', async () => {
  const { jobs, backend } = engine()
  const kind = jobs.define({ kind: 'stricter', schema: z.object({ n: z.number() }), run: () => 0 })
  const id = await kind.enqueue({ n: 1 })
  await backend.maintain.edit(id, { payload: '{"n":"one"}' })
  const fine = await kind.enqueue({ n: 2 })
  await jobs.start()
  await nextAttempt(({ jobId }) => jobId === fine)
  const job = await jobs.inspect.get(id)
  assert.equal(job?.state, 'dead')
  assert.match(job?.error ?? '', /^E_JOB_PAYLOAD/)
})

it('a schema that answers later is waited for, at both ends', async () => {
  const { jobs } = engine()
  const schema = z.number().refine(async (n) => n < 10, 'too large')
  const seen: number[] = []
  const kind = jobs.define({ kind: 'patient', schema, run: ({ payload }) => void seen.push(payload) })
  await jobs.start()
  const attempt = nextAttempt('patient')
  await kind.enqueue(4)
  await attempt
  assert.deepEqual(seen, [4])
  await assert.rejects(kind.enqueue(40), (error) => hasCode(error, 'E_JOB_PAYLOAD'))
})

it('a payload that is no JSON, or too large, is refused with its code, and nothing is stored', async () => {
  const { jobs } = engine()
  const kind = jobs.define<unknown>({ kind: 'refused', run: () => 0 })
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  for (const payload of [cycle, undefined, 1n, () => 0])
    await assert.rejects(kind.enqueue(payload), (error) => hasCode(error, 'E_JOB_PAYLOAD'))
  for (const payload of ['x'.repeat(10_000_000), 'ü'.repeat(131_072)])
    await assert.rejects(kind.enqueue(payload), (error) => {
      assert.ok(hasCode(error, 'E_JOB_PAYLOAD_SIZE'))
      assert.match(error.message, /refused/)
      return true
    })
  await kind.enqueue('ü'.repeat(131_071))
  assert.equal((await jobs.counts()).available, 1)
})

it('one bad job among many, or beside others in the same tick, stores nothing of its own call alone', async () => {
  const { jobs } = engine()
  const kind = jobs.define<unknown>({ kind: 'mixed', run: () => 0 })
  const outcomes = await Promise.allSettled([kind.enqueue(1), kind.enqueue(2n), kind.enqueue(3)])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  await assert.rejects(kind.enqueueMany([4, 5n]), (error) => hasCode(error, 'E_JOB_PAYLOAD'))
  assert.equal((await jobs.counts()).available, 2)
})

it('unknown kinds and queues, and options that are none, are refused with their codes', async () => {
  const { jobs } = engine()
  const kind = jobs.define<number>({ kind: 'known', run: () => 0 })
  await assert.rejects(jobs.enqueue({ kind: 'unheard-of', payload: 1 }), (error) => {
    assert.ok(hasCode(error, 'E_JOB_KIND_UNKNOWN'))
    assert.match(error.message, /known kinds: known/)
    return true
  })
  assert.throws(
    () => jobs.define({ kind: 'lost', queue: 'emial', run: () => 0 }),
    (error) => hasCode(error, 'E_JOB_QUEUE_UNKNOWN'),
  )
  const wrong = [
    { delay: -1 },
    { delay: 'soon' },
    { runAt: Number.NaN },
    { priority: 300 },
    { priority: 'urgent' },
    { attempts: 0 },
    { key: '' },
    { timeuot: 5 },
    { unique: { by: '' } },
    { unique: { by: 'kind', for: 'ever' } },
  ]
  for (const options of wrong)
    await assert.rejects(
      kind.enqueue(1, options as never),
      (error) => hasCode(error, 'E_OPTIONS'),
      JSON.stringify(options),
    )
  await assert.rejects(kind.enqueue(1, { unique: { by: 'key' } }), (error) => hasCode(error, 'E_JOB_UNIQUE'))
  assert.equal((await jobs.counts()).available, 0)
})

it('definitions that are none are refused with their codes', () => {
  const { jobs } = engine()
  const run = () => 0
  jobs.define({ kind: 'twice', run })
  const kinds = [
    { kind: 'twice', run },
    { kind: 'Not a kind', run },
    { run },
    { kind: 'without-run' },
    { kind: 'with-both', run, runBatch: run },
    { kind: 'batchless', run, batch: { size: 5 } },
  ]
  for (const definition of kinds)
    assert.throws(
      () => jobs.define(definition as never),
      (error) => hasCode(error, 'E_JOB_KIND'),
      JSON.stringify(definition),
    )
  const options = [
    { attempts: 0 },
    { backoff: { type: 'sometimes' } },
    { backoff: { type: 'fixed', jitter: 2 } },
    { timeout: 0 },
    { encrypted: true },
    { schema: {} },
    { atempts: 3 },
  ]
  for (const said of options)
    assert.throws(
      () => jobs.define({ kind: 'wrong', run, ...said } as never),
      (error) => hasCode(error, 'E_OPTIONS'),
      JSON.stringify(said),
    )
})

it('engines that are none are refused', () => {
  const wrong = [
    { concurrency: -1 },
    { concurrency: 1.5 },
    { lease: 10 },
    { queues: { email: { concurrency: -3 } } },
    { queues: { email: { concurrency: { min: 5, max: 2 } } } },
    { queues: { email: { limits: { concurrency: 0 } } } },
    { queues: { email: { limits: { rate: { count: 0, per: '1s' } } } } },
    { queues: { email: { retention: { completed: '31d' } } } },
    { queues: { 'E mail': {} } },
    { queues: { email: { concurency: 3 } } },
    { backend: {} as never },
  ]
  for (const options of wrong)
    assert.throws(
      () => engine(options as never),
      (error) => hasCode(error, 'E_OPTIONS'),
      JSON.stringify(options),
    )
})

it('what a store could not take, or would pass over, is refused in its own call: keys, tags, moments, duplicates, requests', async () => {
  const { jobs } = engine({ concurrency: 0 })
  const kind = jobs.define<number>({ kind: 'strict', run: () => 0 })
  const options = [
    { key: 'a\0b' },
    { tags: [5] },
    { tags: ['a\0b'] },
    { tags: Array(101).fill('a') },
    { runAt: 1e300 },
    { delay: 1e15 },
    { unique: { by: 'payload', relpace: true } },
    { unique: { by: 'payload', replace: 1 } },
    { unique: { by: 'x'.repeat(256) } },
  ]
  const calls = options.map((said) => () => kind.enqueue(1, said as never))
  const request = { kind: 'strict', payload: 1 }
  const others = [
    () => jobs.enqueue({ ...request, option: {} } as never),
    () => jobs.enqueue(undefined as never),
    () => jobs.enqueue({ ...request, options: null } as never),
    () => jobs.enqueue(request, null as never),
    () => kind.enqueue(1, null as never),
    () => kind.enqueue(1, { tx: null } as never),
    () => kind.enqueue(1, 'tx' as never),
    () => kind.enqueueMany([1], null as never),
    () => kind.enqueueMany([1], { tx: null } as never),
    () => jobs.enqueue(request, { tX: {} } as never),
    () => jobs.enqueueMany([request], { tx: null } as never),
    () => jobs.flow({ job: request, childs: [] } as never),
    () => jobs.flow(undefined as never),
    () => jobs.flow({ job: request, children: [], onChildFailure: 'stop' } as never),
  ]
  const good = kind.enqueue(1)
  for (const call of [...calls, ...others])
    await assert.rejects(
      async () => call(),
      (error) => hasCode(error, 'E_OPTIONS'),
      String(call),
    )
  await good
  assert.equal((await jobs.counts()).available, 1)
})

it('a moment that is long past means now', async () => {
  const { jobs } = engine({ concurrency: 0 })
  const id = await jobs.define<number>({ kind: 'ancient', run: () => 0 }).enqueue(1, { runAt: new Date(-8.64e15) })
  assert.equal((await jobs.inspect.get(id))?.state, 'available')
})

it('a key is made of a payload that has been checked, and one that cannot be made refuses its call', async () => {
  const { jobs } = engine()
  const loose = jobs.define<{ tenant: { id: string } }>({
    kind: 'loose',
    key: ({ tenant }) => tenant.id,
    run: () => 0,
  })
  for (const payload of [null, undefined, {}])
    await assert.rejects(loose.enqueue(payload as never), (error) => hasCode(error, 'E_JOB_PAYLOAD'))
  await loose.enqueue({ tenant: { id: 't1' } })
  const { jobs: stored } = await jobs.inspect.list({ key: 't1' })
  assert.equal(stored.length, 1)
})

it('what no store could keep is refused in its own call: halves of characters, and times that no calendar has', async () => {
  const { jobs } = engine()
  const kind = jobs.define<number>({ kind: 'kept', run: () => 0 })
  const refused: EnqueueJobOptions[] = [
    { key: 'half\ud800' },
    { tags: ['\udc00'] },
    { unique: { by: 'u\ud800' } },
    { unique: { by: 'u', for: 1e17 } },
    { timeout: 1e15 },
  ]
  for (const options of refused)
    await assert.rejects(kind.enqueue(1, options), (error) => hasCode(error, 'E_OPTIONS'), JSON.stringify(options))
  const id = await kind.enqueue(1, { timeout: 10.5, runAt: new Date(-8.64e15) })
  assert.equal((await jobs.inspect.get(id))?.timeout, 11)
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createKeyring, hasCode } from '@tailwater/core'
import { batch, chain } from '@tailwater/jobs'
import { engine, nextAttempt } from './testing/engine.ts'

it('a parent runs when its children have completed, and reads their results', async () => {
  const { jobs } = engine({ queues: { parts: {} } })
  const part = jobs.define<number>({ kind: 'part', queue: 'parts', run: ({ payload }) => payload * 10 })
  const whole = jobs.define<string>({
    kind: 'whole',
    async run(job) {
      const results = await job.children<number>()
      return results.map(({ kind, state, result }) => `${kind} ${state} ${result}`).sort()
    },
  })
  await jobs.start()
  const attempt = nextAttempt('whole')
  const { id } = await jobs.flow({ job: whole.job('x'), children: [part.job(1), part.job(2), part.job(3)] })
  await attempt
  assert.deepEqual((await jobs.inspect.get(id))?.result, [
    'part completed 10',
    'part completed 20',
    'part completed 30',
  ])
  assert.equal((await jobs.inspect.children(id)).length, 3)
})

it('a chain runs in the order given, each with the result of the one before', async () => {
  const { jobs } = engine()
  const order: string[] = []
  const step = jobs.define<string>({
    kind: 'step',
    async run(job) {
      const [before] = await job.children<string>()
      order.push(job.payload)
      return `${before?.result ?? ''}${job.payload}`
    },
  })
  await jobs.start()
  const done = nextAttempt(({ jobId, outcome }) => outcome === 'completed' && order.length === 3 && jobId !== '')
  const { id } = await jobs.flow(chain([step.job('a'), step.job('b'), step.job('c')]))
  await done
  assert.deepEqual(order, ['a', 'b', 'c'])
  assert.equal((await jobs.inspect.get(id))?.result, 'abc')
})

it('the completion job of a batch runs though some have failed, and sees which', async () => {
  const { jobs } = engine()
  const odd = jobs.define<number>({
    kind: 'only-even',
    attempts: 1,
    run({ payload }) {
      if (payload % 2 === 1) throw new Error(`${payload} is odd`)
      return payload
    },
  })
  const summary = jobs.define<null>({
    kind: 'summary',
    run: async (job) => (await job.children()).map(({ state, error }) => error?.split('\n')[0] ?? state).sort(),
  })
  await jobs.start()
  const attempt = nextAttempt('summary')
  const { id } = await jobs.flow(batch([odd.job(1), odd.job(2), odd.job(3)], summary.job(null)))
  await attempt
  assert.deepEqual((await jobs.inspect.get(id))?.result, ['Error: 1 is odd', 'Error: 3 is odd', 'completed'])
})

it('results of encrypted children are read by their parent', async () => {
  const keyring = createKeyring(['a secret of the tests, long enough'])
  const { jobs, backend } = engine({ keyring })
  const child = jobs.define<null>({ kind: 'closed', encrypted: true, run: () => ({ iban: 'DE00' }) })
  const parent = jobs.define<null>({
    kind: 'opener',
    run: async (job) => (await job.children<{ iban: string }>())[0]?.result?.iban,
  })
  await jobs.start()
  const attempt = nextAttempt('opener')
  const { id } = await jobs.flow({ job: parent.job(null), children: [child.job(null)] })
  await attempt
  assert.equal((await backend.inspect.get(id))?.result, '"DE00"')
  const [stored] = await backend.inspect.children(id)
  assert.doesNotMatch(stored?.result ?? '', /DE00/)
})

it('a flow with a unique job inside, or one without an end, is refused, and stores nothing', async () => {
  const { jobs } = engine()
  const kind = jobs.define<number>({ kind: 'member', run: () => 0 })
  const unique = kind.job(1, { unique: { by: 'kind' } })
  await assert.rejects(jobs.flow({ job: kind.job(0), children: [unique] }), (error) => hasCode(error, 'E_JOB_FLOW'))
  const long = chain([kind.job(0), ...Array.from({ length: 200 }, (_, n) => kind.job(n))])
  await assert.rejects(jobs.flow(long), (error) => hasCode(error, 'E_JOB_FLOW'))
  await assert.rejects(jobs.flow({ job: kind.job(0), children: [{ kind: 'none', payload: 0 }] }), (error) =>
    hasCode(error, 'E_JOB_KIND_UNKNOWN'),
  )
  assert.deepEqual(await jobs.inspect.list(), { jobs: [], next: undefined })
})

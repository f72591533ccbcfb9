import assert from 'node:assert/strict'
import { it } from 'node:test'
import { engine, nextAttempt } from './testing/engine.ts'

const thread = new URL('./testing/threads/sum.ts', import.meta.url)

it('a handler in a thread runs beside the event loop, and its progress, log and result come back', async () => {
  const { jobs } = engine({ threads: 1 })
  const kind = jobs.define<{ upTo: number }>({ kind: 'sum', thread })
  await jobs.start()
  const attempt = nextAttempt('sum')
  const id = await kind.enqueue({ upTo: 1_000 })
  assert.equal((await attempt).outcome, 'completed')
  const job = await jobs.inspect.get(id)
  assert.deepEqual([job?.result, job?.progress], [{ total: 500_500, isMainThread: false }, 100])
  assert.deepEqual(await jobs.inspect.logs(id), ['added up'])
  await jobs.stop()
})

it('what a handler in a thread throws fails its attempt, and says so whether it can be retried', async () => {
  const { jobs } = engine({ threads: 1 })
  const kind = jobs.define<{ upTo: number; mode: string }>({ kind: 'sum', thread })
  await jobs.start()
  const attempt = nextAttempt('sum')
  await kind.enqueue({ upTo: 1, mode: 'throw' })
  const { outcome, error } = await attempt
  assert.deepEqual([outcome, error?.message], ['dead', 'too much'])
  await jobs.stop()
})

it('a handler in a thread hears that it is to stop', async () => {
  const { jobs, clock } = engine({ threads: 1 })
  const kind = jobs.define<{ upTo: number; mode: string }>({ kind: 'sum', thread, attempts: 1 })
  await jobs.start()
  const id = await kind.enqueue({ upTo: 1, mode: 'listen' })
  for (let lines: string[] = []; lines.length === 0; lines = await jobs.inspect.logs(id)) await clock.advance(250)
  await jobs.operate.cancel(id)
  const attempt = nextAttempt('sum')
  await clock.advance(4_999)
  assert.equal((await attempt).outcome, 'cancelled')
  assert.match((await jobs.inspect.logs(id)).join(), /told: the job was cancelled/)
  await jobs.stop()
})

it('a handler in a thread that never lets go loses its thread, and the next job runs', async () => {
  const { jobs, clock } = engine({ threads: 1 })
  const kind = jobs.define<{ upTo: number; mode?: string }>({ kind: 'sum', thread, attempts: 1 })
  await jobs.start()
  const deaf = await kind.enqueue({ upTo: 1, mode: 'deaf' })
  while ((await jobs.inspect.get(deaf))?.progress === undefined) await clock.advance(250)
  await jobs.operate.cancel(deaf)
  const attempt = nextAttempt(({ jobId }) => jobId === deaf)
  await clock.advance(15_000)
  assert.equal((await attempt).outcome, 'cancelled')
  const next = nextAttempt('sum')
  await kind.enqueue({ upTo: 4 })
  assert.equal((await next).outcome, 'completed')
  await jobs.stop()
})

it('a handler in a thread that ends its thread, or tells what is no JSON, takes nothing else along', async () => {
  const { jobs } = engine({ threads: 1 })
  const kind = jobs.define<{ upTo: number; mode?: string }>({ kind: 'sum', thread, attempts: 1 })
  await jobs.start()
  const outcomes: string[] = []
  for (const mode of ['exit', 'odd']) {
    const attempt = nextAttempt('sum')
    await kind.enqueue({ upTo: 4, mode })
    outcomes.push((await attempt).outcome)
  }
  assert.deepEqual(outcomes, ['dead', 'completed'])
  await jobs.stop()
})

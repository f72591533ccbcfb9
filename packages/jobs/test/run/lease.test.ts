import assert from 'node:assert/strict'
import { it } from 'node:test'
import { backgroundError, hasCode, jobAttempt, listen, notice } from '@tailwater/core'
import type { Kind } from '@tailwater/jobs'
import { type Engine, engine, nextAttempt, nextTurn } from '../testing/engine.ts'

/** Has a job begun and its worker taken for dead, without having been silent for as long as it itself can tell; then the job has been claimed again. Its id. */
async function loseOne({ jobs, clock, backend }: Engine, kind: Kind<null>): Promise<string> {
  await jobs.start()
  const claimed = nextTurn((turn) => turn.claimed === 1)
  const id = await kind.enqueue(null)
  await claimed
  const { worker } = (await backend.inspect.get(id))!
  await backend.work.turn({ worker: worker!, lease: -1, ends: [], wants: [] })
  await backend.maintain.sweep()
  const again = nextTurn((turn) => turn.claimed === 1)
  await clock.advance(1)
  await again
  return id
}

it('the lease is renewed while a long job runs', async () => {
  const { jobs, clock, backend } = engine()
  const gate = Promise.withResolvers<void>()
  const kind = jobs.define<null>({ kind: 'long', run: () => gate.promise })
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  const id = await kind.enqueue(null)
  await begun
  for (let minutes = 0; minutes < 5; minutes++) await clock.advance(60_000)
  await backend.maintain.sweep()
  assert.equal((await jobs.inspect.get(id))?.state, 'running')
  const attempt = nextAttempt('long')
  gate.resolve()
  assert.equal((await attempt).outcome, 'completed')
})

it('a handler whose lease was lost hears of it; the job runs here again only after it has stopped', async () => {
  const parts = engine({ queues: { default: { concurrency: 2 } } })
  const { jobs, clock } = parts
  const begun: string[] = []
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  let reason: unknown
  const kind = jobs.define<null>({
    kind: 'lost',
    async run({ attempt, signal }) {
      begun.push(`attempt ${attempt}`)
      signal.addEventListener('abort', () => {
        reason = signal.reason
      })
      await gates[attempt - 1]!.promise
    },
  })
  await loseOne(parts, kind)
  assert.ok(hasCode(reason, 'E_JOB_LEASE_LOST'))
  assert.deepEqual(begun, ['attempt 1'])
  const attempt = nextAttempt('lost')
  gates[0]!.resolve()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(begun, ['attempt 1', 'attempt 2'])
  gates[1]!.resolve()
  const event = await attempt
  assert.deepEqual([event.attempt, event.outcome], [2, 'completed'])
  await jobs.stop()
  assert.equal(clock.pending, 0)
})

it('a job that was lost to a handler that does not stop is put off, so that another process may take it', async () => {
  const parts = engine()
  const { jobs, clock, backend } = parts
  const kind = jobs.define<null>({ kind: 'stubborn', run: () => new Promise(() => {}) })
  const id = await loseOne(parts, kind)
  const putOff = nextAttempt(({ outcome }) => outcome === 'snoozed')
  await clock.advance(5_000)
  assert.equal((await putOff).jobId, id)
  const job = await backend.inspect.get(id)
  assert.deepEqual([job?.state, job?.attempt, job?.crashes], ['scheduled', 1, 1])
  await jobs.stop()
  assert.equal(clock.pending, 0)
})

it('an end that comes too late is refused, is no attempt that ended, and a notice says so', async () => {
  const { jobs, clock, backend } = engine()
  const gate = Promise.withResolvers<void>()
  const kind = jobs.define<null>({ kind: 'late', run: () => gate.promise })
  await jobs.start()
  const claimed = nextTurn((turn) => turn.claimed === 1)
  const id = await kind.enqueue(null)
  await claimed
  const { worker } = (await backend.inspect.get(id))!
  await backend.work.turn({ worker: worker!, lease: -1, ends: [], wants: [] })
  await backend.work.turn({ worker: 'other', lease: 60_000, ends: [], wants: [{ queue: 'default', count: 1 }] })
  const events: string[] = []
  const ends = [listen(notice, ({ message }) => events.push(message)), listen(jobAttempt, () => events.push('attempt'))]
  const refused = nextTurn((turn) => turn.refused === 1)
  gate.resolve()
  await refused
  for (const end of ends) end()
  assert.equal(events.length, 1)
  assert.match(events[0]!, /came too late/)
  assert.equal((await backend.inspect.get(id))?.worker, 'other')
  assert.equal(clock.elapsed(), 0)
})

it('a turn whose reply is lost is told again, and what it had claimed runs once', async () => {
  const { backend: memory, clock } = engine()
  let losses = 0
  const work = { ...memory.work }
  work.turn = async (turn) => {
    const reply = await memory.work.turn(turn)
    if (reply.claimed.length > 0 && losses++ === 0) throw new Error('the reply is lost')
    return reply
  }
  const { jobs } = engine({ backend: { ...memory, work }, clock })
  const errors: string[] = []
  const end = listen(backgroundError, ({ error }) => errors.push(error.message))
  let runs = 0
  const kind = jobs.define<null>({ kind: 'once', run: () => ++runs })
  await jobs.start()
  const failed = nextTurn(({ error }) => error !== undefined)
  const id = await kind.enqueue(null)
  await failed
  const attempt = nextAttempt('once')
  await clock.advance(100)
  const { attempt: number, outcome } = await attempt
  end()
  assert.deepEqual([runs, number, outcome, errors], [1, 1, 'completed', ['the reply is lost']])
  assert.equal((await jobs.inspect.get(id))?.state, 'completed')
})

it('an end whose acknowledgement is lost is told again, and counts once', async () => {
  const { backend: memory, clock } = engine()
  let losses = 0
  const work = { ...memory.work }
  work.turn = async (turn) => {
    const reply = await memory.work.turn(turn)
    if (turn.ends.length > 0 && losses++ === 0) throw new Error('the reply is lost')
    return reply
  }
  const { jobs } = engine({ backend: { ...memory, work }, clock })
  const kind = jobs.define<null>({ kind: 'told', run: () => 1 })
  await jobs.start()
  const failed = nextTurn(({ error }) => error !== undefined)
  const id = await kind.enqueue(null)
  await failed
  const attempt = nextAttempt('told')
  await clock.advance(100)
  assert.equal((await attempt).outcome, 'completed')
  const job = await jobs.inspect.get(id)
  assert.deepEqual([job?.state, job?.attempt], ['completed', 1])
})

it('a poisonous job is told of as dead by the worker that buries it', async () => {
  const { jobs, backend, clock } = engine()
  const kind = jobs.define<null>({ kind: 'poison', attempts: 1, run: () => 1 })
  const id = await kind.enqueue(null)
  await backend.work.turn({ worker: 'killed', lease: 1_000, ends: [], wants: [{ queue: 'default', count: 1 }] })
  await clock.advance(1_001)
  const attempt = nextAttempt('poison')
  await jobs.start()
  const { outcome, error, jobId } = await attempt
  assert.deepEqual([outcome, jobId], ['dead', id])
  assert.ok(hasCode(error, 'E_JOB_POISON'))
})

it('a poisonous job that a sweep buries is told of as dead, though nobody serves its queue', async () => {
  const { jobs, backend, clock } = engine({ queues: { elsewhere: { concurrency: 0 } } })
  const kind = jobs.define<null>({ kind: 'far-poison', queue: 'elsewhere', attempts: 1, run: () => 1 })
  const id = await kind.enqueue(null)
  await backend.work.turn({ worker: 'killed', lease: 1_000, ends: [], wants: [{ queue: 'elsewhere', count: 1 }] })
  await jobs.start()
  const attempt = nextAttempt('far-poison')
  await clock.advance(20_000)
  const { outcome, error, jobId, queue } = await attempt
  assert.deepEqual([outcome, jobId, queue], ['dead', id, 'elsewhere'])
  assert.ok(hasCode(error, 'E_JOB_POISON'))
})

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { hasCode, listen, notice } from '@tailwater/core'
import type { RunningJob } from '@tailwater/jobs'
import { engine, nextAttempt, nextTurn } from '../testing/engine.ts'

it('a handler whose time is over hears of it, and its attempt has failed', async () => {
  const { jobs, clock } = engine()
  const kind = jobs.define<null>({ kind: 'slow', timeout: '10s', attempts: 2, run: (job) => untilAborted(job) })
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  const id = await kind.enqueue(null)
  await begun
  await clock.advance(9_999)
  assert.equal((await jobs.inspect.get(id))?.state, 'running')
  const attempt = nextAttempt('slow')
  await clock.advance(1)
  const { outcome, error } = await attempt
  assert.equal(outcome, 'retryable')
  assert.ok(hasCode(error, 'E_JOB_TIMEOUT'))
})

it('a handler that does not listen keeps its job from going on for no more than the grace', async () => {
  const { jobs, clock } = engine()
  const gate = Promise.withResolvers<void>()
  const kind = jobs.define<null>({ kind: 'deaf', timeout: '10s', attempts: 1, run: () => gate.promise })
  const notices: string[] = []
  const end = listen(notice, ({ message }) => notices.push(message))
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  await kind.enqueue(null)
  await begun
  const attempt = nextAttempt('deaf')
  await clock.advance(15_000)
  assert.equal((await attempt).outcome, 'dead')
  end()
  assert.match(notices.join(), /goes on after its timeout/)
  gate.resolve()
  await jobs.stop()
  assert.equal(clock.pending, 0)
})

it('a running job that is cancelled hears of it, and ends as cancelled', async () => {
  const { jobs, clock } = engine()
  const kind = jobs.define<null>({ kind: 'unwanted', run: (job) => untilAborted(job) })
  await jobs.start()
  const begun = nextTurn(({ claimed }) => claimed === 1)
  const id = await kind.enqueue(null)
  await begun
  assert.equal(await jobs.operate.cancel(id), true)
  const attempt = nextAttempt('unwanted')
  await clock.advance(10_000)
  const { outcome, error } = await attempt
  assert.equal(outcome, 'cancelled')
  assert.ok(hasCode(error, 'E_JOB_CANCELLED'))
  assert.equal((await jobs.inspect.get(id))?.state, 'cancelled')
})

/** A handler that ends when it is told to. */
function untilAborted({ signal }: RunningJob<null>): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
}

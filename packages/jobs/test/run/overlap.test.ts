import assert from 'node:assert/strict'
import { it } from 'node:test'
import { backgroundError, jobAttempt, listen } from '@tailwater/core'
import type { JobsBackend, Turn, TurnReply } from '@tailwater/jobs'
import { engine, nextAttempt } from '../testing/engine.ts'

const WIDE = { queues: { wide: { concurrency: 64 } } }

/** A store whose replies come when they are let go. */
function heldBack({ work, ...backend }: JobsBackend) {
  const turns: { turn: Turn; reply: TurnReply; release(): void; lose(): void }[] = []
  let isHolding = false
  const held: JobsBackend = {
    ...backend,
    work: {
      ...work,
      async turn(turn) {
        const reply = await work.turn(turn)
        if (!isHolding) return reply
        return new Promise((resolve, reject) => {
          turns.push({ turn, reply, release: () => resolve(reply), lose: () => reject(new Error('the reply is lost')) })
        })
      },
    },
  }
  return {
    backend: held,
    turns,
    hold(given: boolean) {
      isHolding = given
    },
  }
}

/** What is due in this round of the event loop is done. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

/** An engine with a stream of jobs, whose replies are held back from the second turn on. */
async function streaming(count: number) {
  const { backend: memory, clock } = engine()
  const store = heldBack(memory)
  const { jobs } = engine({ ...WIDE, backend: store.backend, clock })
  const runs: string[] = []
  const kind = jobs.define<number>({ kind: 'stream', queue: 'wide', run: ({ jobId }) => void runs.push(jobId) })
  await kind.enqueueMany(Array.from({ length: count }, (_, n) => n))
  const end = listen(jobAttempt, () => store.hold(true))
  await jobs.start()
  await settled()
  end()
  return { jobs, clock, runs, ...store }
}

it('a stream of jobs is claimed in two turns at a time, which never want more than there are places', async () => {
  const { jobs, turns, runs, hold } = await streaming(1_000)
  for (let round = 0; round < 10; round++) {
    assert.ok(turns.length <= 2)
    const wanted = turns.reduce((sum, { turn }) => sum + (turn.wants[0]?.count ?? 0), 0)
    assert.ok(wanted <= 64, `${wanted} places are wanted of 64`)
    turns.shift()!.release()
    await settled()
  }
  assert.equal(turns.length, 2)
  hold(false)
  while (turns.length > 0) turns.shift()!.release()
  const last = nextAttempt(() => runs.length === 1_000)
  await last
  await jobs.stop()
  assert.equal(new Set(runs).size, 1_000)
  assert.equal((await jobs.counts('wide')).completed, 1_000)
})

it('what a lost reply had given is asked for only when the turn beside it is over, and runs once', async () => {
  const { jobs, clock, turns, runs, hold } = await streaming(400)
  const errors: string[] = []
  const end = listen(backgroundError, ({ error }) => errors.push(error.message))
  assert.equal(turns.length, 2)
  const [lost, beside] = turns.splice(0)
  lost!.lose()
  await settled()
  // Its time has come, but what the other turn has claimed is not known yet.
  await clock.advance(5_000)
  assert.equal(turns.length, 0)
  beside!.release()
  await settled()
  await clock.advance(100)
  assert.equal(turns.length, 1)
  const { turn, reply } = turns[0]!
  assert.ok(turn.reconcile)
  const again = new Set(reply.claimed.map(({ id }) => id))
  for (const { id } of lost!.reply.claimed) assert.ok(again.has(id))
  for (const { id } of beside!.reply.claimed) assert.ok(!again.has(id))
  hold(false)
  turns[0]!.release()
  await settled()
  while (runs.length < 400) {
    await settled()
    await clock.advance(100)
  }
  await jobs.stop()
  end()
  assert.deepEqual(errors, ['the reply is lost'])
  assert.equal(new Set(runs).size, 400)
  assert.equal((await jobs.counts('wide')).completed, 400)
})

it('both turns may be lost, and no job runs twice', async () => {
  const { jobs, clock, turns, runs, hold } = await streaming(400)
  for (const { lose } of turns.splice(0)) lose()
  await settled()
  hold(false)
  while (runs.length < 400) {
    await settled()
    await clock.advance(100)
  }
  await jobs.stop()
  assert.equal(runs.length, 400)
  assert.equal(clock.pending, 0)
})

it('jobs that come now and then are claimed in one turn', async () => {
  const { backend: memory, clock } = engine()
  const { backend, turns, hold } = heldBack(memory)
  const { jobs } = engine({ ...WIDE, backend, clock })
  const kind = jobs.define<null>({ kind: 'single', queue: 'wide', run: () => 1 })
  await jobs.start()
  await settled()
  hold(true)
  await kind.enqueueMany([null, null, null])
  await settled()
  assert.deepEqual(
    turns.map(({ turn }) => turn.wants.filter(({ queue }) => queue === 'wide')),
    [[{ queue: 'wide', count: 64 }]],
  )
  hold(false)
  turns[0]!.release()
})

it('handlers of batches get what was claimed together', async () => {
  const { jobs } = engine(WIDE)
  const sizes: number[] = []
  const kind = jobs.define<number>({
    kind: 'batched',
    queue: 'wide',
    batch: { size: 64 },
    runBatch: async (batch) => void sizes.push(batch.length),
  })
  await kind.enqueueMany(Array.from({ length: 640 }, (_, n) => n))
  const last = nextAttempt(() => sizes.length === 10)
  await jobs.start()
  await last
  assert.deepEqual(sizes, Array(10).fill(64))
})

import assert from 'node:assert/strict'
import { type Clause, idsOf } from './subject.ts'

/** In which order jobs are given out. */
export function orderClauses(clause: Clause): void {
  clause('jobs of one priority come in the order in which they were stored', async (subject) => {
    const first = await subject.add({}, {}, {})
    await subject.advance(1)
    const second = await subject.add({}, {}, {})
    assert.deepEqual(idsOf(await subject.claim('a', 4)), [...first, ...second].slice(0, 4))
    assert.deepEqual(idsOf(await subject.claim('b', 4)), second.slice(1))
  })

  clause('a higher priority comes first, whatever its age', async (subject) => {
    const ids = await subject.add(...[128, 255, 0, 64, 192, 1].map((priority) => ({ priority })))
    await subject.advance(1)
    const late = await subject.id({ priority: 0 })
    const wanted = [ids[2], late, ids[5], ids[3], ids[0], ids[4], ids[1]]
    assert.deepEqual(idsOf(await subject.claim('a', 10)), wanted)
  })

  clause('one job at a time comes in the same order as many', async (subject) => {
    const ids = await subject.add(...[3, 1, 2, 1].map((priority) => ({ priority })))
    assert.deepEqual(await subject.workOff('a'), [ids[1], ids[3], ids[2], ids[0]])
  })

  clause('scheduled jobs become available in the order of their times', async (subject) => {
    const ids = await subject.add({ delay: 3_000 }, { delay: 1_000 }, { delay: 2_000 })
    await subject.advance(3_000)
    assert.deepEqual(idsOf(await subject.claim('a', 3)), [ids[1], ids[2], ids[0]])
  })

  clause('a job that was available before another was due stands before it', async (subject) => {
    const due = await subject.id({ delay: 2_000 })
    await subject.advance(1_000)
    const early = await subject.id()
    await subject.advance(1_000)
    assert.deepEqual(idsOf(await subject.claim('a', 2)), [early, due])
  })

  clause('a due job is served by its priority', async (subject) => {
    const [plain, urgent] = await subject.add({}, { delay: 1_000, priority: 0 })
    await subject.advance(1_000)
    assert.deepEqual(idsOf(await subject.claim('a', 2)), [urgent, plain])
  })

  clause('a retry becomes available when it is due, behind what was there before', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    await subject.accept('a', job, { outcome: 'failed', error: 'no', delay: 1_000 })
    const before = await subject.id()
    await subject.advance(1_000)
    assert.deepEqual(idsOf(await subject.claim('a', 2)), [before, id])
  })

  clause('queues are served in the order in which they are wanted, each up to its count', async (subject) => {
    const mails = await subject.add({}, {})
    const texts = await subject.add({ queue: 'sms' }, { queue: 'sms' })
    const wants = [
      { queue: 'sms', count: 1 },
      { queue: 'mail', count: 5 },
    ]
    assert.deepEqual(idsOf((await subject.turn('a', { wants })).claimed), [texts[0], ...mails])
  })

  clause('a queue that nobody wants keeps its jobs', async (subject) => {
    await subject.id({ queue: 'sms' })
    assert.deepEqual(await subject.claim('a', 5), [])
  })
}

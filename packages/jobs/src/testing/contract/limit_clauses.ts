import assert from 'node:assert/strict'
import { type Clause, idsOf, newJob } from './subject.ts'

/** What limits a queue, over all its workers. */
export function limitClauses(clause: Clause): void {
  clause('a queue runs no more jobs at once than its concurrency, over all workers', async (subject) => {
    await subject.limit({ concurrency: 3 })
    const ids = await subject.add({}, {}, {}, {}, {})
    const jobs = await subject.claim('a', 2)
    assert.deepEqual(idsOf(await subject.claim('b', 5)), [ids[2]])
    assert.deepEqual(await subject.claim('c', 5), [])
    await subject.complete('a', jobs[0]!)
    assert.deepEqual(idsOf(await subject.claim('c', 5)), [ids[3]])
  })

  clause('workers that claim together stay within the concurrency', async (subject) => {
    await subject.limit({ concurrency: 5 })
    await subject.backend.jobs.add(Array.from({ length: 40 }, () => newJob()))
    const lots = await Promise.all(['a', 'b', 'c', 'd'].map((worker) => subject.claim(worker, 4)))
    assert.ok(lots.flat().length <= 5)
    await subject.claim('e', 10)
    assert.equal((await subject.backend.inspect.counts()).running, 5)
  })

  clause('every end frees a place: failed, snoozed, given back, rescued', async (subject) => {
    await subject.limit({ concurrency: 1 })
    const ids = await subject.add({}, {}, {}, {}, {})
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'failed', error: 'no', delay: 1e6 })
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'snoozed', delay: 1e6 })
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'dead', error: 'no' })
    assert.equal((await subject.claimOne('a')).id, ids[3])
    await subject.backend.work.leave('a')
    assert.equal((await subject.claimOne('b')).id, ids[3])
    await subject.advance(30_001)
    assert.equal((await subject.claimOne('c')).id, ids[3])
    assert.deepEqual(await subject.claim('c'), [])
  })

  clause('a limit holds for its own queue only', async (subject) => {
    await subject.limit({ concurrency: 1 })
    await subject.add({}, {}, { queue: 'sms' }, { queue: 'sms' })
    assert.equal((await subject.claim('a', 5)).length, 1)
    assert.equal((await subject.claim('a', 5, 'sms')).length, 2)
  })

  clause('a limit that is lifted, or changed, holds at once', async (subject) => {
    await subject.limit({ concurrency: 1 })
    await subject.add({}, {}, {}, {})
    assert.equal((await subject.claim('a', 5)).length, 1)
    await subject.limit({ concurrency: 2 })
    assert.equal((await subject.claim('a', 5)).length, 1)
    await subject.limit({})
    assert.equal((await subject.claim('a', 5)).length, 2)
  })

  clause('a queue starts no more jobs than its rate, and says when the next may start', async (subject) => {
    await subject.limit({ rate: { count: 10, per: 1_000 } })
    await subject.backend.jobs.add(Array.from({ length: 30 }, () => newJob()))
    const wants = [{ queue: 'mail', count: 30 }]
    const first = await subject.turn('a', { wants })
    assert.equal(first.claimed.length, 10)
    assert.equal(first.nextIn, 100)
    await subject.advance(99)
    assert.equal((await subject.claim('a', 30)).length, 0)
    await subject.advance(1)
    assert.equal((await subject.claim('b', 30)).length, 1)
    await subject.advance(500)
    assert.equal((await subject.claim('b', 30)).length, 5)
    await subject.advance(60_000)
    assert.equal((await subject.claim('b', 30)).length, 10)
  })

  clause('an end gives no start back to the rate', async (subject) => {
    await subject.limit({ rate: { count: 2, per: 1_000 } })
    await subject.add({}, {}, {})
    for (const job of await subject.claim('a', 5)) await subject.complete('a', job)
    assert.deepEqual(await subject.claim('a', 5), [])
  })

  clause('each key runs no more jobs at once than the concurrency per key', async (subject) => {
    await subject.limit({ perKey: { concurrency: 1 } })
    const ids = await subject.add({ key: 'x' }, { key: 'x' }, { key: 'y' }, {}, {}, { key: 'y' })
    const jobs = await subject.claim('a', 6)
    assert.deepEqual(idsOf(jobs), [ids[0], ids[2], ids[3], ids[4]])
    assert.deepEqual(await subject.claim('b', 6), [])
    await subject.complete('a', jobs[0]!)
    assert.deepEqual(idsOf(await subject.claim('b', 6)), [ids[1]])
  })

  clause('a job passed over for its key keeps its place', async (subject) => {
    await subject.limit({ perKey: { concurrency: 1 } })
    const [running, waiting] = await subject.add({ key: 'x' }, { key: 'x' })
    const job = await subject.claimOne('a')
    assert.equal(job.id, running)
    await subject.advance(1)
    const [later] = await subject.add({ key: 'x' })
    assert.deepEqual(await subject.claim('a', 5), [])
    await subject.complete('a', job)
    assert.deepEqual(await subject.workOff('a'), [waiting, later])
  })

  clause('a line of jobs of one key does not hide those behind it', async (subject) => {
    await subject.limit({ perKey: { concurrency: 1 } })
    await subject.backend.jobs.add(Array.from({ length: 500 }, () => newJob({ key: 'x' })))
    await subject.advance(1)
    const behind = await subject.id({ key: 'y' })
    const claimed = idsOf(await subject.claim('a', 10))
    assert.equal(claimed.length, 2)
    assert.equal(claimed[1], behind)
  })

  clause('a key whose job failed, snoozed or was rescued is free again', async (subject) => {
    await subject.limit({ perKey: { concurrency: 1 } })
    const ids = await subject.add({ key: 'x' }, { key: 'x' }, { key: 'x' })
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'failed', error: 'no', delay: 1e6 })
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'snoozed', delay: 1e6 })
    await subject.claimOne('a')
    await subject.advance(30_001)
    assert.equal((await subject.claimOne('b')).id, ids[2])
    assert.deepEqual(await subject.claim('b'), [])
  })

  clause('each key starts no more jobs than the rate per key', async (subject) => {
    await subject.limit({ perKey: { rate: { count: 2, per: 1_000 } } })
    const ids = await subject.add(...['x', 'x', 'x', 'y', 'x'].map((key) => ({ key })))
    const reply = await subject.turn('a', { wants: [{ queue: 'mail', count: 5 }] })
    assert.deepEqual(idsOf(reply.claimed), [ids[0], ids[1], ids[3]])
    assert.equal(reply.nextIn, 500)
    await subject.advance(500)
    assert.deepEqual(idsOf(await subject.claim('a', 5)), [ids[2]])
    await subject.advance(499)
    assert.deepEqual(await subject.claim('a', 5), [])
    await subject.advance(1)
    assert.deepEqual(idsOf(await subject.claim('a', 5)), [ids[4]])
  })

  clause('all limits hold together', async (subject) => {
    await subject.limit({ concurrency: 4, rate: { count: 3, per: 300 }, perKey: { concurrency: 1 } })
    await subject.add(...['x', 'x', 'y', 'z', 'w', 'v'].map((key) => ({ key })))
    assert.deepEqual(
      (await subject.claim('a', 9)).map(({ key }) => key),
      ['x', 'y', 'z'],
    )
    await subject.advance(300)
    assert.deepEqual(
      (await subject.claim('a', 9)).map(({ key }) => key),
      ['w'],
    )
  })

  clause('a key that has one job waits a turn, not for those that have many', async (subject) => {
    await subject.limit({ fair: true })
    await subject.backend.jobs.add(Array.from({ length: 200 }, () => newJob({ key: 'many' })))
    await subject.advance(1)
    const one = await subject.id({ key: 'one' })
    assert.ok(idsOf(await subject.claim('a', 3)).includes(one))
  })

  clause('keys with long lines get equal shares', async (subject) => {
    await subject.limit({ fair: true })
    for (const key of ['x', 'y', 'z']) await subject.backend.jobs.add(Array.from({ length: 30 }, () => newJob({ key })))
    const seen = new Map<string, number>()
    for (let claims = 1; claims <= 30; claims++) {
      const { key } = await subject.claimOne('a')
      seen.set(key!, (seen.get(key!) ?? 0) + 1)
      for (const share of ['x', 'y', 'z']) assert.ok(Math.abs((seen.get(share) ?? 0) - claims / 3) <= 2)
    }
  })

  clause('a key that was away has saved no turns up', async (subject) => {
    await subject.limit({ fair: true })
    await subject.backend.jobs.add(Array.from({ length: 40 }, () => newJob({ key: 'x' })))
    await subject.claim('a', 20)
    await subject.backend.jobs.add(Array.from({ length: 40 }, () => newJob({ key: 'y' })))
    const shares = (await subject.claim('a', 20)).filter(({ key }) => key === 'y').length
    assert.ok(shares >= 8 && shares <= 12, `${shares} of 20`)
  })

  clause('in a fair queue priority comes first, and a key serves its own jobs by age', async (subject) => {
    await subject.limit({ fair: true })
    const [x1, , urgent] = await subject.add({ key: 'x' }, { key: 'x' }, { key: 'x', priority: 0 })
    const y = await subject.id({ key: 'y' })
    const claimed = idsOf(await subject.claim('a', 3))
    assert.equal(claimed[0], urgent)
    assert.deepEqual(claimed.slice(1).sort(), [x1!, y].sort())
  })

  clause('turns and limits of keys hold together', async (subject) => {
    await subject.limit({ fair: true, perKey: { concurrency: 1 } })
    for (const key of ['x', 'y']) await subject.backend.jobs.add(Array.from({ length: 5 }, () => newJob({ key })))
    const jobs = await subject.claim('a', 9)
    assert.deepEqual(jobs.map(({ key }) => key).sort(), ['x', 'y'])
    await subject.complete('a', jobs[0]!)
    const next = await subject.claim('a', 9)
    assert.deepEqual(
      next.map(({ key }) => key),
      [jobs[0]!.key],
    )
  })
}

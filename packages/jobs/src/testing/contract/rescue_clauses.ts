import assert from 'node:assert/strict'
import { type Clause, countsOf, idsOf, LEASE, type Subject, sorted } from './subject.ts'

/** What happens to the jobs of dead workers. */
export function rescueClauses(clause: Clause): void {
  clause('a job is not taken from a worker whose lease has not ended', async (subject) => {
    await subject.id()
    await subject.claimOne('a')
    await subject.advance(LEASE - 1)
    assert.deepEqual(await subject.claim('b'), [])
  })

  clause('the job of a dead worker is claimed by the next turn of another', async (subject) => {
    const id = await subject.id()
    await subject.claimOne('a')
    await subject.advance(LEASE + 1)
    const job = await subject.claimOne('b')
    const { crashes, worker } = await subject.job(id)
    assert.deepEqual([job.id, job.attempt, crashes, worker], [id, 2, 1, 'b'])
  })

  clause('a rescued job stands first in its priority, and only there', async (subject) => {
    const [taken] = await subject.add({ priority: 10 })
    await subject.claimOne('a')
    const [same, higher] = await subject.add({ priority: 10 }, { priority: 5 })
    await subject.advance(LEASE + 1)
    assert.deepEqual(idsOf(await subject.claim('b', 3)), [higher, taken, same])
  })

  clause('all jobs of a dead worker are rescued', async (subject) => {
    const ids = await subject.add(...Array.from({ length: 120 }, () => ({})))
    await subject.claim('a', 120)
    await subject.advance(LEASE + 1)
    const rescued: string[] = []
    for (let turns = 0; turns < 5; turns++) rescued.push(...idsOf(await subject.claim('b', 120)))
    assert.deepEqual(sorted(rescued), sorted(ids))
  })

  clause('jobs of several dead workers are rescued', async (subject) => {
    const ids = await subject.add({}, {}, {})
    for (const worker of ['a', 'b', 'c']) await subject.claimOne(worker)
    await subject.advance(LEASE + 1)
    const rescued: string[] = []
    for (let turns = 0; turns < 5; turns++) rescued.push(...idsOf(await subject.claim('d', 3)))
    assert.deepEqual(sorted(rescued), sorted(ids))
  })

  clause('the sweep rescues what no worker asks for', async (subject) => {
    const id = await subject.id()
    await subject.claimOne('a')
    await subject.advance(LEASE + 1)
    await subject.backend.maintain.sweep()
    assert.equal(await subject.state(id), 'available')
  })

  clause('the sweep tells which jobs it has buried', async (subject) => {
    const id = await subject.id({ maxAttempts: 1, kind: 'poison', payload: '{"n":1}' })
    const spared = await subject.id()
    await subject.claim('a', 2)
    await subject.advance(LEASE + 1)
    const { buried } = await subject.backend.maintain.sweep()
    assert.deepEqual(
      buried.map((job) => [job.id, job.kind, job.payload, job.attempt, job.maxAttempts]),
      [[id, 'poison', '{"n":1}', 1, 1]],
    )
    assert.deepEqual(await subject.states([id, spared]), ['dead', 'available'])
    assert.deepEqual((await subject.backend.maintain.sweep()).buried, [])
  })

  clause('a late end of the dead worker is refused when its job was rescued', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    await subject.advance(LEASE + 1)
    const taken = await subject.claimOne('b')
    assert.deepEqual((await subject.end('a', job, { outcome: 'completed', result: '"a"' })).refused, [id])
    await subject.complete('b', taken, '"b"')
    assert.equal((await subject.job(id)).result, '"b"')
  })

  clause('a late end counts as long as nobody has rescued the job', async (subject) => {
    const id = await subject.id()
    const job = await subject.claimOne('a')
    await subject.advance(LEASE + 1)
    await subject.complete('a', job)
    assert.equal(await subject.state(id), 'completed')
  })

  clause('a worker that comes back late keeps what nobody has rescued', async (subject) => {
    const id = await subject.id()
    await subject.claimOne('a')
    await subject.advance(LEASE + 1)
    await subject.turn('a', { wants: [{ queue: 'mail', count: 1 }] })
    assert.deepEqual(await subject.claim('b'), [])
    const { worker, crashes } = await subject.job(id)
    assert.deepEqual([worker, crashes], ['a', 0])
  })

  clause('a job that kills its worker a fourth time is dead, and the turn says so', async (subject) => {
    const id = await subject.id({ maxAttempts: 20, key: 'k' })
    for (let crashes = 0; crashes < 3; crashes++) await crash(subject, id)
    await subject.claimOne('killed')
    await subject.advance(LEASE + 1)
    const { buried, claimed } = await subject.turn('b', { wants: [{ queue: 'mail', count: 1 }] })
    assert.deepEqual([idsOf(buried), claimed, buried[0]?.attempt], [[id], [], 4])
    const job = await subject.job(id)
    assert.deepEqual([job.state, job.crashes, job.worker], ['dead', 4, undefined])
    assert.match(job.error ?? '', /^E_JOB_POISON/)
  })

  clause('a job that kills its worker in its last attempt is dead', async (subject) => {
    const id = await subject.id({ maxAttempts: 1 })
    await subject.claimOne('a')
    await subject.advance(LEASE + 1)
    const { buried } = await subject.turn('b', { wants: [{ queue: 'mail', count: 1 }] })
    assert.deepEqual(idsOf(buried), [id])
    assert.match((await subject.job(id)).error ?? '', /^E_JOB_POISON/)
  })

  clause('crashes and failures both count as attempts', async (subject) => {
    const id = await subject.id({ maxAttempts: 3 })
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'failed', error: 'no', delay: 0 })
    await crash(subject, id)
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'failed', error: 'no', delay: 0 })
    const { state, attempt, crashes } = await subject.job(id)
    assert.deepEqual([state, attempt, crashes], ['dead', 3, 1])
  })

  clause('a rescued job that somebody asked to cancel is cancelled', async (subject) => {
    const id = await subject.id()
    await subject.claimOne('a')
    assert.equal(await subject.backend.maintain.cancel(id), true)
    await subject.advance(LEASE + 1)
    assert.deepEqual(await subject.claim('b'), [])
    assert.equal(await subject.state(id), 'cancelled')
  })

  clause('a job in a lost reply is given again without another attempt', async (subject) => {
    const ids = await subject.add({}, {}, {})
    const known = await subject.claimOne('a')
    await subject.claim('a', 1)
    const wants = [{ queue: 'mail', count: 1 }]
    const { claimed, lost } = await subject.turn('a', { wants, reconcile: [known.id] })
    assert.deepEqual(idsOf(claimed), [ids[1], ids[2]])
    assert.deepEqual(
      claimed.map(({ attempt }) => attempt),
      [1, 1],
    )
    assert.deepEqual(lost, [])
    await subject.complete('a', claimed[0]!)
  })

  clause('what is given again counts against no limit', async (subject) => {
    await subject.limit({ concurrency: 1 })
    const id = await subject.id()
    await subject.claimOne('a')
    const { claimed } = await subject.turn('a', { wants: [{ queue: 'mail', count: 0 }], reconcile: [] })
    assert.deepEqual(idsOf(claimed), [id])
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ running: 1 }))
  })

  clause('a turn that was not heard of can be taken again', async (subject) => {
    const ids = await subject.add({}, {})
    const job = await subject.claimOne('a')
    const turn = {
      ends: [{ id: job.id, attempt: 1, outcome: 'completed' as const, result: '1' }],
      wants: [{ queue: 'mail', count: 1 }],
    }
    await subject.turn('a', turn)
    const again = await subject.turn('a', { ...turn, reconcile: [] })
    assert.deepEqual(idsOf(again.claimed), [ids[1]])
    assert.deepEqual(again.refused, [ids[0]])
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ completed: 1, running: 1 }))
  })

  clause('without reconciliation a worker keeps what it was given', async (subject) => {
    await subject.id()
    await subject.claimOne('a')
    const { claimed, lost } = await subject.turn('a', { wants: [{ queue: 'mail', count: 1 }] })
    assert.deepEqual([claimed, lost], [[], []])
  })

  clause('reconciliation names what the worker has lost', async (subject) => {
    const [lost, kept] = await subject.add({}, {})
    const jobs = await subject.claim('a', 1)
    await subject.advance(LEASE + 1)
    await subject.claim('b', 1)
    await subject.claim('a', 1)
    const reply = await subject.turn('a', { reconcile: [jobs[0]!.id, kept!] })
    assert.deepEqual([reply.lost, reply.claimed], [[lost], []])
  })
}

/** One attempt that ends with its worker. */
async function crash(subject: Subject, id: string): Promise<void> {
  assert.equal((await subject.claimOne('killed')).id, id)
  await subject.advance(LEASE + 1)
  await subject.turn('undertaker', { wants: [{ queue: 'mail', count: 0 }] })
  assert.equal(await subject.state(id), 'available')
}

import assert from 'node:assert/strict'
import type { NewJob } from '../../job.ts'
import { type Clause, countsOf, idsOf, newJob, type Subject, sorted } from './subject.ts'

/** What jobs with children promise. */
export function flowClauses(clause: Clause): void {
  clause('a parent waits until its children have completed, and then can ask for their results', async (subject) => {
    const { parent, children } = await family(subject, 2)
    const { state, pendingChildren } = await subject.job(parent)
    assert.deepEqual([state, pendingChildren], ['pending', 2])
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ pending: 1, available: 2 }))
    const jobs = await subject.claim('a', 5)
    assert.deepEqual(sorted(idsOf(jobs)), sorted(children))
    await subject.complete('a', jobs[0]!, '"one"')
    assert.equal(await subject.state(parent), 'pending')
    await subject.complete('a', jobs[1]!, '"two"')
    assert.equal(await subject.state(parent), 'available')
    const results = (await subject.backend.inspect.children(parent)).map(({ id, result }) => [id, result])
    assert.deepEqual(sorted(results.map(String)), sorted([`${jobs[0]!.id},"one"`, `${jobs[1]!.id},"two"`]))
    const claimed = await subject.claimOne('b')
    assert.deepEqual([claimed.id, claimed.hasChildren, claimed.waited], [parent, true, 0])
  })

  clause('a child knows its parent', async (subject) => {
    const { parent, children } = await family(subject, 1)
    assert.equal((await subject.job(children[0]!)).parentId, parent)
  })

  clause('a chain runs from the innermost job outwards', async (subject) => {
    const [inner, middle] = [newJob(), newJob({ queue: 'sms' })]
    const outer = await subject.id({ children: [{ ...middle, children: [inner] }] })
    assert.deepEqual(await subject.workOff('a'), [inner.id])
    assert.deepEqual(await subject.states([middle.id, outer]), ['available', 'pending'])
    assert.deepEqual(await subject.workOff('a', 'sms'), [middle.id])
    assert.deepEqual(await subject.workOff('a'), [outer])
  })

  clause('children ended in one turn release their parent in it', async (subject) => {
    const { parent } = await family(subject, 3)
    const jobs = await subject.claim('a', 3)
    const ends = jobs.map(({ id, attempt }) => ({ id, attempt, outcome: 'completed' as const, result: undefined }))
    const { claimed } = await subject.turn('a', { ends, wants: [{ queue: 'mail', count: 1 }] })
    assert.deepEqual(idsOf(claimed), [parent])
  })

  clause('children ended together by several workers release their parent once', async (subject) => {
    const { parent, children } = await family(subject, 12)
    const workers = children.map((_, index) => `w${index}`)
    const jobs = await Promise.all(workers.map((worker) => subject.claimOne(worker)))
    await Promise.all(jobs.map((job, index) => subject.complete(workers[index]!, job)))
    assert.deepEqual(await subject.workOff('a'), [parent])
    assert.equal((await subject.job(parent)).pendingChildren, 0)
  })

  clause('a child that fails and is tried again keeps its parent waiting', async (subject) => {
    const { parent } = await family(subject, 1)
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'failed', error: 'no', delay: 100 })
    assert.equal(await subject.state(parent), 'pending')
    await subject.advance(100)
    await subject.complete('a', await subject.claimOne('a'))
    assert.equal(await subject.state(parent), 'available')
  })

  clause('a dead child makes its parent dead, and those above it', async (subject) => {
    const child = newJob()
    const parent = newJob({ children: [child] })
    const above = await subject.id({ children: [parent] })
    await subject.accept('a', await subject.claimOne('a'), { outcome: 'dead', error: 'never' })
    assert.deepEqual(await subject.states([parent.id, above]), ['dead', 'dead'])
    assert.match((await subject.job(parent.id)).error ?? '', /^E_JOB_CHILD/)
  })

  clause('the other children of a dead parent run on', async (subject) => {
    const { parent } = await family(subject, 2)
    const jobs = await subject.claim('a', 2)
    await subject.accept('a', jobs[0]!, { outcome: 'dead', error: 'never' })
    await subject.complete('a', jobs[1]!)
    assert.deepEqual(await subject.states([parent, jobs[1]!.id]), ['dead', 'completed'])
    assert.deepEqual(await subject.claim('a'), [])
  })

  clause('a parent that ignores failures counts a dead or cancelled child as ended', async (subject) => {
    const { parent, children } = await family(subject, 3, { onChildFailure: 'ignore' })
    const jobs = await subject.claim('a', 2)
    await subject.accept('a', jobs[0]!, { outcome: 'dead', error: 'never' })
    await subject.complete('a', jobs[1]!)
    const left = children.find((id) => !idsOf(jobs).includes(id))
    await subject.backend.maintain.cancel(left!)
    assert.equal(await subject.state(parent), 'available')
    const ended = (await subject.backend.inspect.children(parent)).map(({ state }) => state)
    assert.deepEqual(ended.sort(), ['cancelled', 'completed', 'dead'])
  })

  clause('cancelling a parent cancels what has not ended below it, and asks what runs to stop', async (subject) => {
    const grandchild = newJob({ delay: 1e6 })
    const running = newJob({ priority: 1 })
    const waiting = newJob({ children: [grandchild] })
    const parent = await subject.id({ children: [running, waiting] })
    const job = await subject.claimOne('a')
    assert.equal(job.id, running.id)
    assert.equal(await subject.backend.maintain.cancel(parent), true)
    assert.deepEqual(await subject.states([parent, waiting.id, grandchild.id]), ['cancelled', 'cancelled', 'cancelled'])
    assert.deepEqual((await subject.turn('a')).cancelled, [running.id])
    await subject.accept('a', job, { outcome: 'cancelled', error: 'asked' })
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ cancelled: 4 }))
  })

  clause('cancelling a child makes its parent dead, unless it ignores that', async (subject) => {
    const { parent, children } = await family(subject, 1)
    await subject.backend.maintain.cancel(children[0]!)
    assert.equal(await subject.state(parent), 'dead')
  })

  clause('removing a child that has not ended counts as its failure', async (subject) => {
    const strict = await family(subject, 1)
    const lenient = await family(subject, 1, { onChildFailure: 'ignore' })
    for (const { children } of [strict, lenient])
      assert.equal(await subject.backend.maintain.remove(children[0]!), true)
    assert.deepEqual(await subject.states([strict.parent, lenient.parent]), ['dead', 'available'])
  })

  clause('a parent whose own time has not come waits for it after its children', async (subject) => {
    const { parent } = await family(subject, 1, { delay: 1_000 })
    await subject.workOff('a')
    assert.equal(await subject.state(parent), 'scheduled')
    await subject.advance(1_000)
    assert.deepEqual(await subject.workOff('a'), [parent])
  })

  clause('a dead parent that is retried runs when all its children have ended', async (subject) => {
    const { parent } = await family(subject, 2)
    const jobs = await subject.claim('a', 2)
    await subject.accept('a', jobs[0]!, { outcome: 'dead', error: 'never' })
    assert.equal(await subject.backend.maintain.retry(parent), true)
    assert.deepEqual([await subject.state(parent), (await subject.job(parent)).pendingChildren], ['pending', 1])
    await subject.complete('a', jobs[1]!)
    assert.deepEqual(await subject.workOff('a'), [parent])
  })

  clause('a child that is retried counts again, and does not release its parent twice', async (subject) => {
    const { parent } = await family(subject, 2, { onChildFailure: 'ignore' })
    const jobs = await subject.claim('a', 2)
    await subject.accept('a', jobs[0]!, { outcome: 'dead', error: 'never' })
    await subject.backend.maintain.retry(jobs[0]!.id)
    assert.equal((await subject.job(parent)).pendingChildren, 2)
    await subject.complete('a', jobs[1]!)
    assert.equal(await subject.state(parent), 'pending')
    assert.deepEqual(await subject.workOff('a'), [jobs[0]!.id, parent])
  })

  clause('a flow told twice is stored once', async (subject) => {
    const flow = newJob({ children: [newJob(), newJob()] })
    await subject.backend.jobs.add([flow])
    await subject.backend.jobs.add([flow])
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ pending: 1, available: 2 }))
    assert.equal((await subject.workOff('a')).length, 3)
  })

  clause('a flow of a hundred children is stored at once', async (subject) => {
    const { parent } = await family(subject, 100)
    assert.deepEqual(await subject.backend.inspect.counts(), countsOf({ pending: 1, available: 100 }))
    const done = await subject.workOff('a')
    assert.equal(done.at(-1), parent)
  })
}

async function family(subject: Subject, size: number, said: Partial<NewJob> = {}) {
  const children = Array.from({ length: size }, () => newJob())
  const parent = await subject.id({ ...said, children })
  return { parent, children: idsOf(children) }
}

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { claim, completed, type Ground, newJob, openGround, takeTurn } from './ground.ts'

let ground: Ground
before(async () => {
  ground = await openGround()
})
after(() => ground.close())

const keep = { cancelled: { age: 1e9 }, dead: { age: 1e9 } }

it('a queue that keeps no completed jobs does not store them, nor their logs; children and dead ones it keeps', async () => {
  const { backend, rows } = ground
  await backend.maintain.configure('mail', {}, { ...keep, completed: { age: 1e9, count: 0 } })
  const child = newJob({ priority: 0 })
  const [plain, failing] = [newJob({ priority: 1 }), newJob({ priority: 2 })]
  await backend.jobs.add([newJob({ children: [child] }), plain, failing, newJob({ queue: 'sms' })])
  const jobs = await claim(backend, 'a', 3)
  await backend.work.report(
    'a',
    jobs.map(({ id }) => ({ id, logs: ['a line'] })),
  )
  const last = { id: failing.id, attempt: 1, outcome: 'dead' as const, error: 'no' }
  await takeTurn(backend, 'a', { ends: [...completed(jobs.slice(0, 2)), last] })
  await takeTurn(backend, 'a', { ends: completed(await claim(backend, 'a', 1, 'sms')) })
  assert.equal(await backend.inspect.get(plain.id), undefined)
  assert.deepEqual(await backend.inspect.logs(plain.id), [])
  assert.equal((await backend.inspect.get(child.id))?.state, 'completed')
  assert.deepEqual(await backend.inspect.logs(child.id), ['a line'])
  assert.equal((await backend.inspect.get(failing.id))?.state, 'dead')
  const counts = await backend.inspect.counts()
  assert.deepEqual([counts.completed, counts.dead, counts.available], [2, 1, 1])
  // It was an attempt that ended well all the same.
  const minutes = await rows<{ completed: number }>(
    "SELECT sum(completed)::int AS completed FROM $schema.jobs_minutes WHERE queue = 'mail'",
  )
  assert.equal(minutes[0]!.completed, 2)
})

it('retention goes on over as many bites as it takes, the oldest first', async () => {
  const { backend, rows } = ground
  await backend.maintain.configure('old', {}, { ...keep, completed: { age: 1e9, count: 10 } })
  await rows(
    `INSERT INTO $schema.jobs_ended (id, queue, kind, payload, state, priority, attempt, max_attempts, crashes, run_at, enqueued_at, finished_at,
       has_children, fails_with_child)
     SELECT gen_random_uuid(), 'old', 'send', n::text, 'completed', 128, 1, 5, 0, now(), now(), now() - n * interval '1 second', false, true
     FROM generate_series(1, 7000) AS n`,
  )
  await backend.maintain.sweep()
  const left = await rows<{ payload: string }>(
    "SELECT payload FROM $schema.jobs_ended WHERE queue = 'old' ORDER BY finished_at DESC",
  )
  assert.deepEqual(
    left.map(({ payload }) => Number(payload)),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  assert.equal((await backend.inspect.counts('old')).completed, 10)
})

it('a sweep vacuums the table of live jobs when many have gone through it', async () => {
  const { backend, rows } = ground
  const vacuums = async () =>
    (await rows<{ count: number }>("SELECT pg_stat_get_vacuum_count('$schema.jobs_live'::regclass)::int AS count"))[0]!
      .count
  await backend.maintain.sweep()
  assert.equal(await vacuums(), 0)
  await rows(
    `INSERT INTO $schema.jobs_live (id, queue, kind, payload, state, priority, max_attempts, run_at, ready_at, enqueued_at)
     SELECT gen_random_uuid(), 'gone', 'send', '{}', 'available', 128, 5, now(), now(), now() FROM generate_series(1, 60000)`,
  )
  await rows("DELETE FROM $schema.jobs_live WHERE queue = 'gone'")
  // What a session has done is known to the others within a second.
  while ((await vacuums()) === 0) await backend.maintain.sweep()
})

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { jobStates } from '@tailwater/jobs'
import { claim, completed, type Ground, newJob, openGround, takeTurn } from './ground.ts'

let ground: Ground
before(async () => {
  ground = await openGround()
})
after(() => ground.close())

/** What is counted and what is there, in one snapshot. */
async function compare(): Promise<number> {
  const rows = await ground.rows<{ state: string; counted: number; there: number }>(
    `SELECT state::text, coalesce(sum(counted), 0)::int AS counted, coalesce(sum(there), 0)::int AS there FROM (
       SELECT state, sum(jobs) AS counted, 0 AS there FROM $schema.jobs_tally GROUP BY state
       UNION ALL SELECT state, 0, count(*) FROM $schema.jobs_live GROUP BY state
       UNION ALL SELECT state, 0, count(*) FROM $schema.jobs_ended GROUP BY state
     ) AS sides GROUP BY state`,
  )
  for (const { state, counted, there } of rows) assert.equal(counted, there, state)
  return rows.reduce((sum, { there }) => sum + there, 0)
}

it('counts are true in every snapshot while jobs are stored, run, failed, deleted and summed up', async () => {
  const { backend } = ground
  let isOver = false
  let looks = 0
  const watcher = async () => {
    while (!isOver) {
      await compare()
      looks++
    }
  }
  const enqueuer = async () => {
    for (let at = 0; at < 30; at++)
      await backend.jobs.add(
        Array.from({ length: 20 }, (_, place) => newJob({ delay: place % 3, queue: place % 2 ? 'mail' : 'sms' })),
      )
  }
  const worker = async (name: string, queue: string) => {
    for (let at = 0; at < 60; at++) {
      const jobs = await claim(backend, name, 15, queue)
      const ends = jobs.map(({ id, attempt }, place) =>
        place % 4 === 0
          ? { id, attempt, outcome: 'failed' as const, error: 'no', delay: 0 }
          : { id, attempt, outcome: 'completed' as const, result: undefined },
      )
      await takeTurn(backend, name, { ends })
    }
  }
  const keeper = async () => {
    for (let at = 0; at < 20; at++) {
      await backend.maintain.sweep()
      await backend.maintain.clean({ states: ['completed'] }, -1_000, 10)
      await backend.maintain.redrive({ states: ['dead'] }, 10)
    }
  }
  const watching = watcher()
  await Promise.all([enqueuer(), enqueuer(), worker('a', 'mail'), worker('b', 'mail'), worker('c', 'sms'), keeper()])
  isOver = true
  await watching
  assert.ok(looks > 0)
  assert.ok((await compare()) > 0)
  const counts = await backend.inspect.counts()
  const [mail, sms] = [await backend.inspect.counts('mail'), await backend.inspect.counts('sms')]
  for (const state of jobStates) assert.equal(counts[state], mail[state] + sms[state])
})

it('summing up leaves one row for each queue and state that has jobs', async () => {
  const { backend, rows } = ground
  await backend.maintain.sweep()
  const before = await backend.inspect.counts()
  const [{ count }] = (await rows<{ count: number }>('SELECT count(*)::int AS count FROM $schema.jobs_tally')) as [
    { count: number },
  ]
  assert.ok(count <= 2 * jobStates.length)
  assert.deepEqual(await backend.inspect.counts(), before)
})

it('attempts are told by the minute in which they ended', async () => {
  const { backend, rows } = ground
  await backend.jobs.add([newJob({ queue: 'told' }), newJob({ queue: 'told' })])
  const jobs = await claim(backend, 'a', 2, 'told')
  await takeTurn(backend, 'a', { ends: completed(jobs) })
  await rows("UPDATE $schema.jobs_minutes SET minute = minute - interval '1 minute' WHERE queue = 'told'")
  const { minutes } = await backend.inspect.stats('told')
  assert.deepEqual(
    minutes.map(({ completed, failed }) => [completed, failed]),
    [[2, 0]],
  )
})

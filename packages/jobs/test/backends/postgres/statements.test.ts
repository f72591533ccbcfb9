import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { newId } from '@tailwater/core'
import { type JobsBackend, jobStates } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { completed, type Ground, newJob, openGround, takeTurn } from './ground.ts'
import { type PlanRecorder, recordPlans } from './plan_recorder.ts'

/** Rows of each table of jobs. */
const MANY = 100_000
/** Rows that one step of a plan may read: three windows of a search. */
const MOST = 30_000

const large = new Set(['jobs_live', 'jobs_ended'])
const keep = { completed: { age: 1e9, count: 1e9 }, cancelled: { age: 1e9 }, dead: { age: 1e9 } }

/** An id that is greater the later it was made, as those of version 7 are. */
const ordered = (n: string) =>
  `(lpad(to_hex(26000000 + ${n}), 8, '0') || '-0000-7000-8000-' || substr(md5(random()::text), 1, 12))::uuid`

/** Fills the tables as a long life would, past the functions: of 1,000 keys, mixed priorities, some not due, some with parents. */
async function fill({ rows }: Ground): Promise<void> {
  await rows(
    `INSERT INTO $schema.jobs_live (id, queue, kind, payload, state, priority, max_attempts, run_at, ready_at, enqueued_at, key, worker, attempt)
     SELECT ${ordered('n')}, 'mail', 'send', '{"n":' || n || '}',
       CASE WHEN n % 12 = 0 THEN 'scheduled' WHEN n % 600 = 1 THEN 'running' ELSE 'available' END::$schema.job_state, n % 4 * 64, 5,
       $schema.now() + CASE WHEN n % 12 = 0 THEN interval '1 day' ELSE interval '0' END, $schema.now(), $schema.now(), 'k' || n % 1000,
       CASE WHEN n % 600 = 1 THEN 'other' END, 1
     FROM generate_series(1, ${MANY}) AS n`,
  )
  await rows(
    `INSERT INTO $schema.jobs_ended (id, queue, kind, payload, state, priority, attempt, max_attempts, crashes, run_at, enqueued_at, finished_at,
       has_children, fails_with_child, key, parent_id)
     SELECT ${ordered('n')}, 'mail', 'send', '{"n":' || n || '}', CASE WHEN n % 1000 = 0 THEN 'dead' ELSE 'completed' END::$schema.job_state,
       128, 1, 5, 0, $schema.now(), $schema.now(), $schema.now(), false, true, 'k' || n % 1000, CASE WHEN n % 100 = 0 THEN gen_random_uuid() END
     FROM generate_series(1, ${MANY}) AS n`,
  )
  await rows(
    `INSERT INTO $schema.jobs_workers VALUES ('other', $schema.now() + interval '1 hour') ON CONFLICT DO NOTHING`,
  )
}

/** What the planner knows when the plans are made that are then kept. */
const beginnings = {
  'were never used': async () => {},
  // Thousands of pages, and as far as it knows not a row in them.
  'had just been emptied and vacuumed': async (ground: Ground) => {
    await fill(ground)
    await ground.rows('DELETE FROM $schema.jobs_live')
    await ground.rows('DELETE FROM $schema.jobs_ended')
    await ground.rows('VACUUM (TRUNCATE false) $schema.jobs_live, $schema.jobs_ended')
  },
}

for (const [beginning, begin] of Object.entries(beginnings))
  describe(`on large tables that ${beginning} when the plans were made`, () => {
    let ground: Ground
    let recorder: PlanRecorder
    let backend: JobsBackend
    before(async () => {
      ground = await openGround()
      recorder = await recordPlans(ground.url)
      backend = createPostgresBackend({ database: recorder.database, schema: ground.schema })
      await begin(ground)
      for (let time = 0; time < 7; time++) await useEverything()
      recorder.faults(large, MOST)
      await fill(ground)
    })
    after(async () => {
      await recorder.close()
      await ground.close()
    })

    async function claimUnder(limits: Parameters<typeof backend.maintain.configure>[1]): Promise<void> {
      await backend.maintain.configure('mail', limits, keep)
      const wants = [
        { queue: 'mail', count: 20 },
        { queue: 'sms', count: 1 },
      ]
      const { claimed } = await takeTurn(backend, 'me', { wants, reconcile: [] })
      const [first, second, third, ...rest] = claimed
      const { id = newId(), attempt = 1 } = first ?? {}
      await backend.work.report('me', [{ id, progress: '50', logs: ['a line'] }])
      await takeTurn(backend, 'me', {
        reconcile: rest.map((job) => job.id),
        ends: [
          { id, attempt, outcome: 'failed', error: 'no', delay: 10 },
          ...(second ? [{ id: second.id, attempt: second.attempt, outcome: 'dead' as const, error: 'no' }] : []),
          ...(third ? [{ id: third.id, attempt: third.attempt, outcome: 'snoozed' as const, delay: 10 }] : []),
          ...completed(rest.slice(5)),
        ],
      })
    }

    async function work(): Promise<void> {
      const rate = { count: 100, per: 1_000 }
      const limits = [
        {},
        { concurrency: 1e6 },
        { rate },
        { perKey: { concurrency: 3 } },
        { perKey: { rate } },
        { fair: true },
      ]
      for (const limit of [...limits, { fair: true, rate, perKey: { concurrency: 4, rate } }]) await claimUnder(limit)
      // A worker that died, and one that leaves.
      await takeTurn(backend, 'lost', { wants: [{ queue: 'mail', count: 20 }] })
      await ground.rows(`UPDATE $schema.jobs_workers SET expires_at = 'epoch' WHERE id = 'lost'`)
      await takeTurn(backend, 'me', { wants: [{ queue: 'mail', count: 0 }] })
      await backend.work.leave('me')
    }

    async function enqueue(): Promise<string[]> {
      const flow = newJob({ children: [newJob(), newJob({ key: 'k1' })] })
      const jobs = [newJob(), newJob({ delay: 1_000, tags: ['t'] }), newJob({ unique: { key: newId(), ttl: 1 } }), flow]
      await backend.jobs.add(jobs)
      await backend.jobs.add([
        newJob({ unique: { key: 'same', replace: true } }),
        newJob({ unique: { key: 'same', replace: true } }),
      ])
      return jobs.map(({ id }) => id)
    }

    async function operate([plain, later, unique, flow]: string[]): Promise<void> {
      const { maintain, inspect } = backend
      await maintain.edit(plain!, { payload: '{}', runAt: 0 })
      await maintain.cancel(flow!)
      await maintain.retry(flow!)
      await maintain.retry(later!)
      await maintain.remove(unique!)
      await maintain.redrive({ queue: 'mail', states: ['dead'] }, 10)
      await maintain.clean({ queue: 'mail', states: ['dead'] }, -1_000, 10)
      await maintain.erase('k7', 10)
      await maintain.pause('sms')
      await maintain.resume('sms')
      await maintain.sweep()
      await backend.work.observe([{ queue: 'mail', waits: [[80, 3]], runs: [[40, 3]] }])
      for (const id of [plain!, flow!]) await Promise.all([inspect.get(id), inspect.children(id), inspect.logs(id)])
      await Promise.all([inspect.counts(), inspect.counts('mail'), inspect.queues(), inspect.stats('mail')])
    }

    async function search(): Promise<void> {
      for (const filter of [
        {},
        { queue: 'mail' },
        { queue: 'mail', states: ['dead'] as const },
        { states: ['running'] as const },
        { key: 'k9' },
        { tag: 't' },
        { text: '"n":77', queue: 'mail' },
        ...jobStates.map((state) => ({ states: [state] })),
      ]) {
        const { next } = await backend.inspect.list(filter, { limit: 20 })
        if (next) await backend.inspect.list(filter, { limit: 20, cursor: next })
      }
    }

    async function schedule(): Promise<void> {
      const { schedules } = backend
      await schedules.put({ name: 'nightly', definition: newId(), nextAt: 1 })
      await schedules.due(10)
      await schedules.fire('nightly', 1, 2, [newJob()])
      await schedules.setPaused('nightly', true)
      await schedules.list()
      await schedules.remove('nightly')
    }

    async function useEverything(): Promise<void> {
      await work()
      await operate(await enqueue())
      await search()
      await schedule()
    }

    it('no statement reads much of a table', async () => {
      await useEverything()
      assert.deepEqual(recorder.faults(large, MOST), [])
    })

    it('nor does one whose plan knows how much there is', async () => {
      await ground.rows('ANALYZE $schema.jobs_live, $schema.jobs_ended')
      for (let time = 0; time < 2; time++) await useEverything()
      assert.deepEqual(recorder.faults(large, MOST), [])
    })

    // Those of the first version are called by processes of the release before, besides those that the second calls.
    it('every function of the schema was among those used', async () => {
      await recorder.database.query('SELECT pg_stat_force_next_flush()')
      const unused = await ground.rows<{ name: string }>(
        `SELECT p.proname AS name FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang
       WHERE p.pronamespace = '$schema'::regnamespace AND p.proname ~ '^jobs.*_v[0-9]+$' AND p.proname <> ALL ('{jobs_retire_v1,jobs_turn_v1}') AND l.lanname = 'plpgsql'
         AND NOT EXISTS (SELECT FROM pg_stat_user_functions AS used WHERE used.funcid = p.oid)`,
      )
      assert.deepEqual(unused, [])
    })
  })

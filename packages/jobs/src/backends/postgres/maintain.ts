import { isUuid } from '@tailwater/core'
import type { JobFilter } from '../../backend/inspect_port.ts'
import type { MaintainPort, QueueLimits } from '../../backend/maintain_port.ts'
import { arrayText } from './array_text.ts'
import type { Doorbell } from './doorbell.ts'
import { conditionsOf } from './filter.ts'
import { atOnce, type Ground } from './ground.ts'
import { claimedOf, type GivenRow, givenColumns } from './rows.ts'

/** Ended jobs of one queue and state that are deleted in one step: a transaction of some ten milliseconds. */
const RETIRED = 2_000
/** Such steps in one sweep. */
const RETIRE_STEPS = 50
/** Rows that are taken over from the table of release 0.1 in one sweep. */
const ADOPTED = 10_000

/**
 * Dead rows of `jobs_live` at which a sweep vacuums it: some 30 MB. Autovacuum looks once a minute by default, and a minute at full speed leaves a gigabyte.
 */
const VACUUM_AT = 50_000

/** What operators do. */
export function maintainPort(ground: Ground, doorbell: Doorbell): MaintainPort {
  const { database, schema, statement } = ground
  const sql = maintainSql(ground)
  const count = async (...query: Parameters<typeof database.query>) =>
    (await atOnce(() => database.query<{ count: number }>(...query))).rows[0]!.count

  /** Calls a function with the ids of jobs that a filter means, oldest first; `$1` is the limit, `$2` the last of what else it needs. */
  async function onJobs(name: string, call: (ids: string) => string, filter: JobFilter, limit: number, more: unknown) {
    const { live, ended, rest, values, mark } = conditionsOf(filter, 3)
    const side = (table: string, condition: string | undefined, since: string) =>
      condition && `(SELECT id FROM ${schema}.${table} WHERE ${condition} AND ${rest}${since} ORDER BY id LIMIT $1)`
    const isAged = name === 'c'
    const before = (column: string) =>
      isAged ? ` AND ${column} < ${schema}.now() - $2::float8 * interval '1 millisecond'` : ''
    const sides = [
      side('jobs_live', live, before('enqueued_at')),
      side('jobs_ended', ended, before('finished_at')),
    ].filter(Boolean)
    if (sides.length === 0) return 0
    const ids = `ARRAY(SELECT id FROM (${sides.join(' UNION ALL ')}) AS jobs ORDER BY id LIMIT $1)`
    return count(statement(`${name}_${mark}`, `SELECT ${call(ids)} AS count`), [limit, more, ...values])
  }

  return {
    async configure(queue, limits, retention) {
      await database.query(sql.configure, [queue, ...limitValues(limits), JSON.stringify(retention)])
    },
    async pause(queue) {
      await database.query(sql.pause, [queue, true])
    },
    async resume(queue) {
      await database.query(sql.pause, [queue, false])
      doorbell.ring([queue])
    },
    cancel: async (id) => isUuid(id) && (await count(sql.cancel, [id])) > 0,
    async retry(id) {
      if (!isUuid(id)) return false
      const done = await count(sql.retry, [arrayText([id])])
      if (done > 0) doorbell.ring(undefined)
      return done > 0
    },
    async redrive(filter, limit, to) {
      const states = (filter.states ?? ['dead', 'cancelled', 'scheduled', 'retryable']).filter((state) =>
        /dead|cancelled|scheduled|retryable/.test(state),
      )
      const done = await onJobs(
        'r',
        (ids) => `${schema}.jobs_retry_v1(${ids}, $2::text)`,
        { ...filter, states },
        limit,
        to ?? null,
      )
      if (done > 0) doorbell.ring(undefined)
      return done
    },
    async edit(id, { payload, priority, runAt, queue }) {
      if (!isUuid(id)) return false
      const { rows } = await database.query<{ queue: string }>(sql.edit, [
        id,
        payload ?? null,
        priority ?? null,
        runAt ?? null,
        queue ?? null,
      ])
      doorbell.ring(rows.map((row) => row.queue))
      return rows.length > 0
    },
    remove: async (id) => isUuid(id) && (await count(sql.remove, [arrayText([id])])) > 0,
    clean: (filter, age, limit) =>
      onJobs(
        'c',
        (ids) => `${schema}.jobs_remove_v1(${ids})`,
        { ...filter, states: filter.states.filter((state) => state !== 'running') },
        limit,
        age,
      ),
    erase: (key, limit) => count(sql.erase, [key, limit]),
    async sweep() {
      const { rows } = await atOnce(() => database.query<{ woken: string[]; buried: string[] | null }>(sql.mend))
      const { woken, buried } = rows[0]!
      doorbell.ring(woken)
      const dead = buried ? (await database.query<GivenRow>(sql.buried, [arrayText(buried)])).rows : []
      if ((await count(sql.adopt, [ADOPTED])) > 0) doorbell.ring(undefined)
      for (let step = 0; step < RETIRE_STEPS; step++) if ((await count(sql.retire, [RETIRED])) === 0) break
      await database.query(sql.sumUp)
      if ((await count(sql.deadRows)) >= VACUUM_AT) await database.query(sql.vacuum)
      return { buried: dead.map(claimedOf) }
    },
  }
}

function limitValues({ concurrency, rate, perKey = {}, fair = false }: QueueLimits): unknown[] {
  const { concurrency: ofKey, rate: keyRate } = perKey
  return [concurrency, rate?.count, rate?.per, ofKey, keyRate?.count, keyRate?.per, fair].map((given) => given ?? null)
}

function maintainSql({ schema, statement }: Ground) {
  return {
    // jobs_queues_pkey
    configure: statement(
      'configure',
      `INSERT INTO ${schema}.jobs_queues AS q (name, concurrency, rate_count, rate_per, key_concurrency, key_rate_count, key_rate_per, fair, retention)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::json)
       ON CONFLICT (name) DO UPDATE SET concurrency = excluded.concurrency, rate_count = excluded.rate_count, rate_per = excluded.rate_per,
         key_concurrency = excluded.key_concurrency, key_rate_count = excluded.key_rate_count, key_rate_per = excluded.key_rate_per,
         fair = excluded.fair, retention = excluded.retention
       WHERE (q.concurrency, q.rate_count, q.rate_per, q.key_concurrency, q.key_rate_count, q.key_rate_per, q.fair, q.retention::text) IS DISTINCT FROM
         (excluded.concurrency, excluded.rate_count, excluded.rate_per, excluded.key_concurrency, excluded.key_rate_count, excluded.key_rate_per,
          excluded.fair, excluded.retention::text)`,
    ),
    // jobs_queues_pkey
    pause: statement(
      'pause',
      `INSERT INTO ${schema}.jobs_queues (name, paused) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET paused = excluded.paused`,
    ),
    cancel: statement('cancel', `SELECT ${schema}.jobs_cancel_v1($1)::integer AS count`),
    retry: statement('retry', `SELECT ${schema}.jobs_retry_v1($1, NULL) AS count`),
    remove: statement('remove', `SELECT ${schema}.jobs_remove_v1($1) AS count`),
    erase: statement('erase', `SELECT ${schema}.jobs_erase_v1($1, $2) AS count`),
    edit: statement('edit', `SELECT ${schema}.jobs_edit_v1($1, $2, $3::smallint, $4, $5) AS queue`),
    mend: statement('mend', `SELECT woken, buried::text[] FROM ${schema}.jobs_mend_v2()`),
    // jobs_ended_pkey
    buried: statement('buried', `SELECT ${givenColumns} FROM ${schema}.jobs_ended WHERE id = ANY ($1::text::uuid[])`),
    adopt: statement('adopt', `SELECT ${schema}.jobs_adopt_v1($1) AS count`),
    retire: statement('retire', `SELECT ${schema}.jobs_retire_v2($1) AS count`),
    deadRows: statement(
      'dead_rows',
      `SELECT coalesce(pg_stat_get_dead_tuples('${schema}.jobs_live'::regclass), 0) AS count`,
    ),
    // One at a time, in nobody's way. A role that may not do it is told so by a warning.
    vacuum: `VACUUM (SKIP_LOCKED, TRUNCATE false) ${schema}.jobs_live`,
    sumUp: statement('sum_up', `SELECT ${schema}.jobs_sum_up_v1()::text`),
  }
}

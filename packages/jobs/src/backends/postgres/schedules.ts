import type { EnqueuePort } from '../../backend/enqueue_port.ts'
import type { SchedulePort, StoredSchedule } from '../../backend/schedule_port.ts'
import type { Ground } from './ground.ts'

/** A schedule's row; moments in milliseconds. */
interface ScheduleRow {
  name: string
  definition: string
  next_at: number | null
  last_at: number | null
  paused: boolean
  now: number
}

/** Schedules: whoever moves one on from the moment that it stands at fires it. */
export function schedulePort(ground: Ground, jobs: EnqueuePort): SchedulePort {
  const { database } = ground
  const sql = scheduleSql(ground)
  return {
    async put({ name, definition, nextAt }) {
      await database.query(sql.put, [name, definition, nextAt ?? null])
    },
    async remove(name) {
      return (await database.query(sql.remove, [name])).rows.length > 0
    },
    async setPaused(name, paused, nextAt) {
      return (await database.query(sql.setPaused, [name, paused, nextAt ?? null])).rows.length > 0
    },
    async list() {
      return (await database.query<ScheduleRow>(sql.list)).rows.map(scheduleOf)
    },
    async due(limit) {
      const { rows } = await database.query<ScheduleRow>(sql.due, [limit])
      return { now: rows[0]!.now, schedules: rows.filter(({ name }) => name !== null).map(scheduleOf) }
    },
    fire: (name, expected, next, due) =>
      database.transaction(async (tx) => {
        const { rows } = await tx.query(sql.advance, [name, expected, next ?? null])
        if (rows.length === 0) return false
        for (let at = 0; at < due.length; at += jobs.maxBatch) await jobs.add(due.slice(at, at + jobs.maxBatch), tx)
        return true
      }),
  }
}

function scheduleOf({ name, definition, next_at, last_at, paused }: ScheduleRow): StoredSchedule {
  return { name, definition, nextAt: next_at ?? undefined, lastAt: last_at ?? undefined, paused }
}

function scheduleSql({ schema, statement }: Ground) {
  const schedules = `${schema}.jobs_schedules`
  const ms = (column: string) => `round(extract(epoch FROM ${column}) * 1000)::float8`
  const moment = (value: string) => `to_timestamp(${value}::float8 / 1000.0)`
  const columns = `name, definition, ${ms('next_at')} AS next_at, ${ms('last_at')} AS last_at, paused`
  return {
    // jobs_schedules_pkey
    put: statement(
      'put',
      `INSERT INTO ${schedules} AS known (name, definition, next_at) VALUES ($1, $2, ${moment('$3')})
       ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, next_at = excluded.next_at WHERE known.definition <> excluded.definition`,
    ),
    // jobs_schedules_pkey
    remove: statement('unschedule', `DELETE FROM ${schedules} WHERE name = $1 RETURNING name`),
    // jobs_schedules_pkey
    setPaused: statement(
      'halt',
      `UPDATE ${schedules} SET paused = $2, next_at = coalesce(${moment('$3')}, next_at) WHERE name = $1 RETURNING name`,
    ),
    list: statement('schedules', `SELECT ${columns} FROM ${schedules} ORDER BY name`),
    // jobs_schedules_due
    due: statement(
      'due',
      `SELECT s.*, ${ms('clock.now')} AS now FROM (SELECT ${schema}.now()) AS clock LEFT JOIN LATERAL (
         SELECT ${columns} FROM ${schedules} WHERE NOT paused AND next_at <= clock.now ORDER BY ${schedules}.next_at LIMIT $1) AS s ON true`,
    ),
    // jobs_schedules_pkey
    advance: statement(
      'advance',
      `UPDATE ${schedules} SET last_at = next_at, next_at = ${moment('$3')}
       WHERE name = $1 AND NOT paused AND ${ms('next_at')} = $2::float8 RETURNING name`,
    ),
  }
}

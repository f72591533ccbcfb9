import { hasCode } from '@tailwater/core'
import { json, noContent, problem, type Route, route } from '@tailwater/http'
import type { Jobs } from '@tailwater/jobs'
import { Type } from 'typebox'
import { changing, reading, tellChange } from '../../change.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { Name, ScheduleState, StoredJob, scheduleState } from './job_schemas.ts'

const tags = ['schedules']
const params = Type.Object({ name: Name })

/** What fires when, and what can be done about it. */
export function scheduleRoutes(desk: Desk, jobs: Jobs): Route[] {
  return [
    schedulesRoute(desk, jobs),
    switchRoute(desk, jobs, 'pause', 'Fire no more until it is resumed'),
    switchRoute(desk, jobs, 'resume', 'Fire again, from the next moment on'),
    runRoute(desk, jobs),
  ]
}

function schedulesRoute(desk: Desk, jobs: Jobs): Route {
  const query = Type.Object({
    next: Type.Integer({ minimum: 0, maximum: 100, default: 5, description: 'Moments that are previewed.' }),
  })
  return route({
    method: 'GET',
    path: `${desk.mount}/api/schedules`,
    id: 'schedules',
    summary: 'All schedules, and their next moments',
    tags,
    security: SECURITY,
    schema: { query, response: { 200: Type.Object({ data: Type.Array(ScheduleState) }) } },
    use: reading(desk),
    async handler({ query: { next } }) {
      const schedules = await jobs.schedules.list()
      const previews = schedules.map(({ name }) => jobs.schedules.preview(name, next).catch(noneIfGone))
      return { data: (await Promise.all(previews)).map((moments, at) => scheduleState(schedules[at]!, moments)) }
    },
  })
}

function switchRoute(desk: Desk, jobs: Jobs, verb: 'pause' | 'resume', summary: string): Route {
  const id = verb === 'pause' ? 'schedulePause' : 'scheduleResume'
  return route({
    method: 'POST',
    path: `${desk.mount}/api/schedules/:name/${verb}`,
    id,
    summary,
    tags,
    security: SECURITY,
    schema: { params, response: { 204: undefined } },
    use: changing(desk),
    async handler({ params: { name }, exchange }) {
      if (!(await jobs.schedules[verb](name))) throw noSchedule(name)
      tellChange(exchange, id, name)
      return noContent()
    },
  })
}

function runRoute(desk: Desk, jobs: Jobs): Route {
  return route({
    method: 'POST',
    path: `${desk.mount}/api/schedules/:name/run`,
    id: 'scheduleRun',
    summary: 'Enqueue its job now, beside the planned moments',
    tags,
    security: SECURITY,
    schema: { params, response: { 201: StoredJob } },
    use: changing(desk),
    async handler({ params: { name }, exchange }) {
      const stored = await jobs.schedules.run(name)
      if (!stored) throw noSchedule(name)
      tellChange(exchange, 'scheduleRun', name, { jobId: stored.id })
      return json(stored, { status: 201 })
    },
  })
}

/** One that was removed since the list was read has no moments. */
function noneIfGone(error: unknown): number[] {
  if (hasCode(error, 'E_JOB_SCHEDULE')) return []
  throw error
}

function noSchedule(name: string) {
  return problem(404, 'E_JOB_SCHEDULE', `There is no schedule '${name}'.`)
}

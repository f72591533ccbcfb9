import { problem, type Route, route, Uuid } from '@tailwater/http'
import type { Jobs, JobView } from '@tailwater/jobs'
import { Type } from 'typebox'
import { reading } from '../../change.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { JobDetail, jobLine } from './job_schemas.ts'

/** The path's part that names a job. */
export const jobParams = Type.Object({ id: Uuid })

/** @throws HttpProblem 404 E_JOB_NOT_FOUND */
export async function existingJob(jobs: Jobs, id: string): Promise<JobView> {
  const found = await jobs.inspect.get(id)
  if (found) return found
  throw problem(404, 'E_JOB_NOT_FOUND', `There is no job ${id}; those that ended are deleted after a while.`)
}

/** A job with all that is known of it. */
export function jobRoute(desk: Desk, jobs: Jobs): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/jobs/:id`,
    id: 'job',
    summary: 'A job, its log lines and the results of its children',
    tags: ['jobs'],
    security: SECURITY,
    schema: { params: jobParams, response: { 200: JobDetail } },
    use: reading(desk),
    async handler({ params: { id } }) {
      const found = await existingJob(jobs, id)
      const [logs, children] = await Promise.all([jobs.inspect.logs(id), jobs.inspect.children(id)])
      return {
        ...jobLine(found),
        timeout: found.timeout ?? null,
        traceparent: found.traceparent ?? null,
        logs,
        children: children.map(jobLine),
      }
    },
  })
}

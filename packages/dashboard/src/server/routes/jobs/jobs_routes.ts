import type { Route } from '@tailwater/http'
import type { Jobs } from '@tailwater/jobs'
import type { Desk } from '../desk.ts'
import { jobAddRoute } from './job_add.ts'
import { jobChangeRoutes } from './job_changes.ts'
import { jobRoute } from './job_detail.ts'
import { jobListRoute } from './job_list.ts'
import { queueChangeRoutes } from './queue_changes.ts'
import { queueRoutes } from './queues.ts'
import { scheduleRoutes } from './schedules.ts'

/** Queues, jobs and schedules: what there is, and what can be done about it. */
export function jobsRoutes(desk: Desk, jobs: Jobs): Route[] {
  return [
    ...queueRoutes(desk, jobs),
    jobListRoute(desk, jobs),
    jobAddRoute(desk, jobs),
    ...queueChangeRoutes(desk, jobs),
    jobRoute(desk, jobs),
    ...jobChangeRoutes(desk, jobs),
    ...scheduleRoutes(desk, jobs),
  ]
}

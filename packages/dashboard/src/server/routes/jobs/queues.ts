import { problem, type Route, route } from '@tailwater/http'
import type { Jobs, Queue, QueueStats } from '@tailwater/jobs'
import { Type } from 'typebox'
import { reading } from '../../change.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { Counts, QueueName, QueueState } from './job_schemas.ts'

/** The path's part that names a queue. */
export const queueParams = Type.Object({ queue: QueueName })

/** @throws HttpProblem 404 E_JOB_QUEUE_UNKNOWN for a queue that holds no jobs and that no process has named */
export async function existingQueue(jobs: Jobs, name: string): Promise<Queue> {
  if ((await jobs.inspect.queues()).includes(name)) return jobs.queue(name)
  throw problem(404, 'E_JOB_QUEUE_UNKNOWN', `There is no queue '${name}'.`)
}

/** All queues, one of them, and how long it is. */
export function queueRoutes(desk: Desk, jobs: Jobs): Route[] {
  return [queuesRoute(desk, jobs), queueRoute(desk, jobs), sizeRoute(desk, jobs)]
}

const tags = ['jobs']
const state = ({ oldestAvailable, wait, run, minutes, ...stats }: QueueStats) => ({
  ...stats,
  oldestAvailable: oldestAvailable ?? null,
  wait: wait ?? null,
  run: run ?? null,
  minutes: [...minutes],
})

function queuesRoute(desk: Desk, jobs: Jobs): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/queues`,
    id: 'queues',
    summary: 'All queues, and how they do',
    tags,
    security: SECURITY,
    schema: { response: { 200: Type.Object({ data: Type.Array(QueueState) }) } },
    use: reading(desk),
    async handler() {
      const names = await jobs.inspect.queues()
      return { data: (await Promise.all(names.map((name) => jobs.inspect.stats(name)))).map(state) }
    },
  })
}

function queueRoute(desk: Desk, jobs: Jobs): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/queues/:queue`,
    id: 'queue',
    summary: 'One queue, and how it does',
    tags,
    security: SECURITY,
    schema: { params: queueParams, response: { 200: QueueState } },
    use: reading(desk),
    handler: async ({ params }) => state(await (await existingQueue(jobs, params.queue)).stats()),
  })
}

function sizeRoute(desk: Desk, jobs: Jobs): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/queues/:queue/size`,
    id: 'queueSize',
    summary: 'How many jobs a queue has',
    tags,
    security: SECURITY,
    schema: {
      params: queueParams,
      response: {
        200: Type.Object({
          queue: Type.String(),
          waiting: Type.Integer({
            description: 'Those that are yet to run: pending, scheduled, available, retryable.',
          }),
          running: Type.Integer(),
          counts: Counts,
        }),
      },
    },
    use: reading(desk),
    async handler({ params }) {
      const counts = await (await existingQueue(jobs, params.queue)).counts()
      const { pending, scheduled, available, retryable, running } = counts
      return { queue: params.queue, waiting: pending + scheduled + available + retryable, running, counts }
    },
  })
}

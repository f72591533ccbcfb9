import { type Route, route, Text } from '@tailwater/http'
import type { JobFilter, Jobs } from '@tailwater/jobs'
import { Type } from 'typebox'
import { reading } from '../../change.ts'
import { asked } from '../../refusal.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { JobList, jobLine, Moment, State, selection } from './job_schemas.ts'
import { existingQueue, queueParams } from './queues.ts'

/** What each of the stores makes: an id, with a moment before it in some. */
const CURSOR = '^([0-9]{1,16}[.:])?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'

const query = Type.Object({
  state: Type.Optional(State),
  ...selection,
  search: Type.Optional(
    Text(200, 1, { description: "Text that the payload's JSON contains; looked for in at most 10,000 jobs." }),
  ),
  from: Type.Optional(Moment),
  to: Type.Optional(Moment),
  cursor: Type.Optional(Type.String({ pattern: CURSOR, maxLength: 60, description: '`page.next` of another page.' })),
  limit: Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'Jobs of a page.' }),
})

/** Jobs of a queue. */
export function jobListRoute(desk: Desk, jobs: Jobs): Route {
  return route({
    method: 'GET',
    path: `${desk.mount}/api/queues/:queue/jobs`,
    id: 'queueJobs',
    summary: 'Jobs of a queue, the newest first',
    description:
      'Conditions hold together. A page may be shorter than asked for without being the last: go on while there is `next`.',
    tags: ['jobs'],
    security: SECURITY,
    schema: { params: queueParams, query, response: { 200: JobList } },
    use: reading(desk),
    async handler({ params: { queue }, query: { state, search, cursor, limit, ...rest } }) {
      await existingQueue(jobs, queue)
      const filter: JobFilter = {
        ...(rest as JobFilter),
        queue,
        ...(state === undefined ? {} : { states: [state] }),
        ...(search === undefined ? {} : { text: search }),
      }
      const page = await asked(() => jobs.inspect.list(filter, { limit, ...(cursor === undefined ? {} : { cursor }) }))
      return { data: page.jobs.map(jobLine), page: { next: page.next ?? null, limit } }
    },
  })
}

import { noContent, problem, type Route, route, Text } from '@tailwater/http'
import type { JobChange, Jobs } from '@tailwater/jobs'
import { Type } from 'typebox'
import { changing, tellChange } from '../../change.ts'
import { asked, invalid } from '../../refusal.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { existingJob, jobParams } from './job_detail.ts'
import { Count, JobLine, jobLine, Moment, Name, PriorityOf } from './job_schemas.ts'

const tags = ['jobs']

/** What is done with one job, and with all of one person. */
export function jobChangeRoutes(desk: Desk, jobs: Jobs): Route[] {
  const { retry, cancel, remove } = jobs.operate
  return [
    actRoute(desk, jobs, { verb: 'retry', id: 'jobRetry', summary: 'Make a job available now', act: retry }),
    actRoute(desk, jobs, {
      verb: 'cancel',
      id: 'jobCancel',
      summary: 'End a job and all below it; one that runs is asked to stop',
      act: cancel,
    }),
    actRoute(desk, jobs, { verb: undefined, id: 'jobDelete', summary: 'Delete a job that does not run', act: remove }),
    editRoute(desk, jobs),
    eraseRoute(desk, jobs),
  ]
}

/** Something that can be done with a job in some states. */
interface Act {
  /** None deletes it. */
  verb: 'retry' | 'cancel' | undefined
  id: string
  summary: string
  act(id: string): Promise<boolean>
}

function actRoute(desk: Desk, jobs: Jobs, { verb, id, summary, act }: Act): Route {
  return route({
    method: verb ? 'POST' : 'DELETE',
    path: `${desk.mount}/api/jobs/:id${verb ? `/${verb}` : ''}`,
    id,
    summary,
    tags,
    security: SECURITY,
    schema: { params: jobParams, response: { 204: undefined } },
    use: changing(desk),
    async handler({ params, exchange }) {
      if (!(await act(params.id))) throw wrongState(await existingJob(jobs, params.id))
      tellChange(exchange, id, params.id)
      return noContent()
    },
  })
}

function wrongState({ id, state }: { id: string; state: string }) {
  return problem(409, 'E_JOB_STATE', `The job ${id} is ${state}: this cannot be done with it.`)
}

const Edit = Type.Object(
  {
    payload: Type.Optional(Type.Unknown({ description: 'Replaces the whole payload.' })),
    priority: Type.Optional(PriorityOf),
    runAt: Type.Optional(Moment),
    queue: Type.Optional(Name),
    requeue: Type.Optional(Type.Boolean({ description: 'Whether it is to be available at once, after the change.' })),
  },
  { minProperties: 1 },
)

function editRoute(desk: Desk, jobs: Jobs): Route {
  return route({
    method: 'PATCH',
    path: `${desk.mount}/api/jobs/:id`,
    id: 'jobEdit',
    summary: 'Change a job that does not run, and put it back if asked to',
    description: 'A payload is checked as its kind demands, so it is changed only by a process that defines the kind.',
    tags,
    security: SECURITY,
    schema: { params: jobParams, body: Edit, response: { 200: JobLine } },
    use: changing(desk),
    async handler({ params: { id }, body: { requeue = false, ...change }, exchange }) {
      const job = await existingJob(jobs, id)
      if (holdsHidden(change.payload))
        throw invalid('/body/payload', 'holds what stands in for hidden data: it would replace the data itself')
      if (change.queue !== undefined && !(await jobs.inspect.queues()).includes(change.queue))
        throw invalid('/body/queue', `there is no queue '${change.queue}'`)
      const isChanged = await asked(() => jobs.operate.edit(id, change as JobChange))
      if (!isChanged) throw wrongState(await existingJob(jobs, id))
      if (requeue && job.state !== 'available') await jobs.operate.retry(id)
      tellChange(exchange, 'jobEdit', id, { fields: Object.keys(change), requeue })
      return jobLine(await existingJob(jobs, id))
    },
  })
}

/** Whether a payload was copied from what people are shown. */
function holdsHidden(value: unknown): boolean {
  if (typeof value === 'string') return value === '[redacted]' || value === '[encrypted]'
  return value !== null && typeof value === 'object' && Object.values(value).some(holdsHidden)
}

function eraseRoute(desk: Desk, jobs: Jobs): Route {
  return route({
    method: 'POST',
    path: `${desk.mount}/api/jobs/erase`,
    id: 'jobsErase',
    summary: "Delete all jobs of a key: a person's right to be forgotten",
    description:
      'Jobs that run are asked to stop; they are deleted when this is called again. The key is not written to the log.',
    tags,
    security: SECURITY,
    schema: { body: Type.Object({ key: Text(255) }), response: { 200: Count } },
    use: changing(desk),
    async handler({ body, exchange }) {
      const count = await jobs.operate.erase(body.key)
      tellChange(exchange, 'jobsErase', '[a key]', { count })
      return { count }
    },
  })
}

import { json, Nullable, OneOf, problem, type Reply, type Route, route, Uuid } from '@tailwater/http'
import { finalStates, type Job, type Jobs, type JobView, jobStates } from '@tailwater/jobs'
import { Type } from 'typebox'
import { type Gate, ScopeQuery, scopeOf } from '../accounts/caller.ts'
import { Moment } from '../api/field.ts'
import { ownerTag } from './ownership.ts'

/** What following jobs is made of. */
export interface JobRouteParts {
  jobs: Jobs
  gate: Gate
}

const MaybeMoment = Nullable(Moment)

/** A job as its owner sees it. */
const jobSchema = Type.Object({
  id: Uuid,
  kind: Type.String({ examples: ['quality-check'] }),
  state: OneOf(jobStates),
  attempt: Type.Integer({ description: 'How often it was begun.' }),
  maxAttempts: Type.Integer(),
  progress: Type.Unknown({ description: 'From 0 to 100, or what the kind tells; null before it tells any.' }),
  result: Type.Unknown({ description: 'Null until it is completed.' }),
  error: Nullable(Type.String({ description: 'Code of what went wrong last.', examples: ['E_QUALITY_UNAVAILABLE'] })),
  enqueuedAt: Moment,
  startedAt: MaybeMoment,
  finishedAt: MaybeMoment,
})

/** The answer to what is done later: where to follow it. */
export const acceptedSchema = Type.Object({
  jobId: Uuid,
  status: Type.String({
    description: 'Where to follow it.',
    examples: ['/api/jobs/0199c0de-0000-7000-8000-000000000000'],
  }),
})

/** Answers 202: accepted, and where to follow it. @param root path of the API */
export function accepted(jobId: string, root: string): Reply {
  const status = `${root}/jobs/${jobId}`
  return json({ jobId, status }, { status: 202, headers: { location: status } })
}

/** The route by which a merchant follows what it has asked for. */
export function jobRoutes({ jobs, gate }: JobRouteParts): Route[] {
  return [
    route({
      method: 'GET',
      path: '/jobs/:id',
      id: 'showJob',
      summary: 'One job: its state, progress and result',
      description: 'Kept for as long as its queue keeps what has ended.',
      tags: ['jobs'],
      security: ['bearer'],
      use: [gate.required],
      schema: {
        params: Type.Object({ id: Uuid }),
        query: Type.Object({ ...ScopeQuery }),
        response: { 200: jobSchema },
      },
      async handler({ params, query, exchange }) {
        const job = await jobs.inspect.get(params.id)
        const scope = scopeOf(exchange, query.merchant)
        if (!job || (scope !== null && !job.tags.includes(ownerTag(scope))))
          throw problem(404, 'E_NOT_FOUND', `There is no job ${params.id}.`)
        const isOver = finalStates.includes(job.state)
        return json(viewOf(job), { headers: { 'cache-control': isOver ? 'private, max-age=5' : 'no-store' } })
      },
    }),
  ]
}

function viewOf(job: JobView): object {
  const { id, kind, state, attempt, maxAttempts, enqueuedAt, startedAt, finishedAt } = job
  return {
    id,
    kind,
    state,
    attempt,
    maxAttempts,
    progress: job.progress ?? null,
    result: job.result ?? null,
    error: codeOf(job),
    enqueuedAt: new Date(enqueuedAt),
    startedAt: momentOf(startedAt),
    finishedAt: momentOf(finishedAt),
  }
}

const momentOf = (at: number | undefined) => (at === undefined ? null : new Date(at))

/** Of an error its code alone: messages and stacks are for operators. */
function codeOf({ error, state }: Pick<Job, 'error' | 'state'>): string | null {
  if (error === undefined || state === 'completed') return null
  return /^E_[A-Z_]+/.exec(error)?.[0] ?? 'E_INTERNAL'
}

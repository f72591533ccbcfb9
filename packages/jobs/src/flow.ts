import { oneOf, optional, resolveOptions, value } from '@tailwater/core'
import { jobsError } from './errors.ts'
import type { NewJob } from './job.ts'
import type { JobRequest } from './request.ts'

/** A job that runs when those below it have ended. */
export interface Flow {
  job: JobRequest
  children: readonly (Flow | JobRequest)[]
  /** What a child that ends dead or cancelled means: `fail` makes this job dead too, `ignore` counts it as ended. @default 'fail' */
  onChildFailure?: 'fail' | 'ignore'
}

/** Deepest flow, and longest chain. */
const MAX_DEPTH = 100

const fields = {
  job: value<JobRequest>("a job: what a kind's `job` gives", (given) => typeof given === 'object' && given !== null),
  children: value<readonly (Flow | JobRequest)[]>('an array of jobs and flows', Array.isArray),
  onChildFailure: optional(oneOf(['fail', 'ignore'])),
}

const isFlow = (given: Flow | JobRequest): given is Flow => (given as Partial<Flow> | undefined)?.job !== undefined

/**
 * The tree as a store gets it.
 *
 * @param prepare makes a job of a request
 * @throws E_JOB_FLOW on a child that is to be unique, or a tree that is too deep; E_OPTIONS
 */
export async function newFlow(
  flow: Flow | JobRequest,
  prepare: (request: JobRequest) => NewJob | Promise<NewJob>,
  depth = 0,
): Promise<NewJob> {
  if (depth > MAX_DEPTH) throw jobsError('E_JOB_FLOW', `a flow may be ${MAX_DEPTH} jobs deep`)
  if (isFlow(flow)) resolveOptions('a flow', flow, fields)
  const job = await prepare(isFlow(flow) ? flow.job : flow)
  if (depth > 0 && job.unique)
    throw jobsError('E_JOB_FLOW', `a job of kind '${job.kind}' is unique, and can therefore be no part of a flow`, {
      kind: job.kind,
    })
  if (!isFlow(flow) || flow.children.length === 0) return job
  job.children = await Promise.all(flow.children.map((child) => newFlow(child, prepare, depth + 1)))
  if (flow.onChildFailure) job.onChildFailure = flow.onChildFailure
  return job
}

/**
 * Jobs that run one after the other, in the order given; each can read the result of the one before it as that of its only child.
 *
 * @example
 * await jobs.flow(chain([extract.job({ id }), transform.job({ id }), load.job({ id })]))
 */
export function chain(requests: readonly [JobRequest, ...JobRequest[]]): Flow | JobRequest {
  const [first, ...rest] = requests
  return rest.reduce<Flow | JobRequest>((before, job) => ({ job, children: [before] }), first)
}

/**
 * Jobs that run in any order, and one that runs when all of them have ended, well or not; it sees how by `children()`.
 *
 * @example
 * await jobs.flow(batch(orders.map((id) => invoice.job({ id })), summary.job({ month })))
 */
export function batch(requests: readonly (Flow | JobRequest)[], completion: JobRequest): Flow {
  return { job: completion, children: requests, onChildFailure: 'ignore' }
}

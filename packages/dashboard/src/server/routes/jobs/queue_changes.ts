import { type Duration, parseDuration } from '@tailwater/core'
import { type Method, noContent, OneOf, type Route, type RouteSchema, route, Text } from '@tailwater/http'
import { finalStates, type JobFilter, type Jobs, jobStates, type Queue } from '@tailwater/jobs'
import { type Static, Type } from 'typebox'
import { changing, tellChange } from '../../change.ts'
import { invalid } from '../../refusal.ts'
import { type Desk, SECURITY } from '../desk.ts'
import { Count, QueueName, selection } from './job_schemas.ts'
import { existingQueue, queueParams } from './queues.ts'

const tags = ['jobs']

/** What is done with a whole queue. */
export function queueChangeRoutes(desk: Desk, jobs: Jobs): Route[] {
  return [
    switchRoute(desk, jobs, 'pause', 'Begin no more jobs of a queue, in any process', (queue) => queue.pause()),
    switchRoute(desk, jobs, 'resume', 'Begin jobs of a queue again', (queue) => queue.resume()),
    retryFailedRoute(desk, jobs),
    redriveRoute(desk, jobs),
    cleanRoute(desk, jobs),
    completedRoute(desk, jobs),
  ]
}

function switchRoute(
  desk: Desk,
  jobs: Jobs,
  verb: 'pause' | 'resume',
  summary: string,
  turn: (queue: Queue) => Promise<void>,
): Route {
  const id = verb === 'pause' ? 'queuePause' : 'queueResume'
  return route({
    method: 'POST',
    path: `${desk.mount}/api/queues/:queue/${verb}`,
    id,
    summary,
    tags,
    security: SECURITY,
    schema: { params: queueParams, response: { 204: undefined } },
    use: changing(desk),
    async handler({ params, exchange }) {
      await turn(await existingQueue(jobs, params.queue))
      tellChange(exchange, id, params.queue)
      return noContent()
    },
  })
}

/** A route that deals with many jobs and says how many. */
interface Mass<S extends RouteSchema> {
  method: Method
  path: string
  id: string
  summary: string
  description?: string
  body: S['body']
  work(queue: Queue, body: S['body'] extends undefined ? undefined : Static<NonNullable<S['body']>>): Promise<number>
}

function massRoute<S extends RouteSchema>(desk: Desk, jobs: Jobs, { path, body, work, ...rest }: Mass<S>): Route {
  return route({
    ...rest,
    path: `${desk.mount}/api/queues/:queue/${path}`,
    tags,
    security: SECURITY,
    schema: { params: queueParams, ...(body ? { body } : {}), response: { 200: Count } },
    use: changing(desk),
    async handler({ params, body: given, exchange }) {
      const queue = await existingQueue(jobs, params.queue)
      const count = await work(queue, given as never)
      tellChange(exchange, rest.id, params.queue, { count })
      return { count }
    },
  })
}

function retryFailedRoute(desk: Desk, jobs: Jobs): Route {
  return massRoute(desk, jobs, {
    method: 'POST',
    path: 'retry-failed',
    id: 'queueRetryFailed',
    summary: 'Make all failed jobs of a queue available now: the dead, and those that wait for their next attempt',
    body: undefined,
    work: (queue) => queue.redrive({ states: ['dead', 'retryable'] }),
  })
}

const Redrive = Type.Object({
  ...selection,
  to: Type.Optional(QueueName),
})

function redriveRoute(desk: Desk, jobs: Jobs): Route {
  return massRoute<{ body: typeof Redrive; response: Record<number, never> }>(desk, jobs, {
    method: 'POST',
    path: 'redrive',
    id: 'queueRedrive',
    summary: 'Make dead letters of a queue available again, here or in another queue',
    description: 'Conditions hold together; with none, all dead jobs.',
    body: Redrive,
    async work({ name: queue }, { to, ...filter }) {
      if (to !== undefined) await existingTarget(jobs, to)
      return jobs.operate.redrive({ ...(filter as JobFilter), queue }, to === undefined ? {} : { to })
    },
  })
}

async function existingTarget(jobs: Jobs, to: string): Promise<void> {
  if (!(await jobs.inspect.queues()).includes(to)) throw invalid('/body/to', `there is no queue '${to}'`)
}

const cleanable = jobStates.filter((state) => state !== 'running')

const Clean = Type.Object({
  states: Type.Optional(
    Type.Array(OneOf(cleanable), {
      minItems: 1,
      maxItems: cleanable.length,
      description: 'Without it: completed, cancelled, dead.',
    }),
  ),
  age: Type.Optional(
    Text(20, 1, { description: "Those that ended, or were enqueued, longer ago: '1h', '7d'. Without it: all." }),
  ),
})

function cleanRoute(desk: Desk, jobs: Jobs): Route {
  return massRoute<{ body: typeof Clean; response: Record<number, never> }>(desk, jobs, {
    method: 'POST',
    path: 'clean',
    id: 'queueClean',
    summary: 'Delete jobs of a queue by state and age',
    body: Clean,
    work: (queue, { states = [...finalStates], age = '0s' }) => queue.clean(states, ageOf(age)),
  })
}

/** Milliseconds of a hundred years: nothing is older. */
const LONGEST = 3_153_600_000_000

function ageOf(text: string): number {
  try {
    return Math.min(parseDuration(text as Duration), LONGEST)
  } catch {
    throw invalid('/body/age', "must be a duration such as '30s', '1h' or '7d'")
  }
}

function completedRoute(desk: Desk, jobs: Jobs): Route {
  return massRoute(desk, jobs, {
    method: 'DELETE',
    path: 'completed',
    id: 'queueDeleteCompleted',
    summary: 'Delete all completed jobs of a queue',
    body: undefined,
    work: (queue) => queue.clean(['completed'], 0),
  })
}

import { Nullable, OneOf, Text } from '@tailwater/http'
import { type JobState, type JobView, jobStates, type Schedule } from '@tailwater/jobs'
import { Type } from 'typebox'

const moment = Type.Number({ description: 'Milliseconds since the Unix epoch.' })
const count = Type.Integer({ minimum: 0 })

/** What a queue or a kind may be called. */
export const Name = Type.String({ pattern: '^[a-z][a-z0-9-]{0,99}$', examples: ['default'] })

/** A queue that is there. Those of messages have a subscription's name and a level, or a request's topic, in theirs. */
export const QueueName = Type.String({
  pattern: '^[^\\s{}\\u0000-\\u001f\\u007f-\\u009f]{1,300}$',
  examples: ['default'],
})

/** The states of a job. */
export const State = OneOf(jobStates)

/** How many jobs are in each state. */
export const Counts = Type.Object(
  Object.fromEntries(jobStates.map((state) => [state, count])) as Record<JobState, typeof count>,
)

/** How many jobs a call has dealt with. */
export const Count = Type.Object({ count })

/** How long jobs waited, or ran. */
const spans = (description: string) =>
  Nullable(
    Type.Object(
      {
        count: Type.Integer({ minimum: 0, description: 'Attempts that were counted.' }),
        p50: Type.Number(),
        p95: Type.Number(),
        p99: Type.Number(),
      },
      { description: `${description}, in milliseconds, within 4.4 %. Null when no attempt ended in the last hour.` },
    ),
  )

/** A queue and how it does. */
export const QueueState = Type.Object({
  queue: Type.String(),
  paused: Type.Boolean(),
  counts: Counts,
  oldestAvailable: Nullable(
    Type.Number({ description: 'Milliseconds for which the next job in turn has been available.' }),
  ),
  wait: spans('Percentiles of how long jobs were available before they were claimed'),
  run: spans('Percentiles of how long handlers took'),
  minutes: Type.Array(Type.Object({ at: moment, completed: count, failed: count }), {
    description: 'Attempts that ended in each of the last 60 full minutes; minutes without any may be missing.',
  }),
})

const jobFields = {
  id: Type.String(),
  queue: Type.String(),
  kind: Type.String(),
  state: State,
  priority: Type.Integer({ description: '0 is first, 255 last.' }),
  key: Nullable(Type.String()),
  tags: Type.Array(Type.String()),
  attempt: count,
  maxAttempts: count,
  crashes: Type.Integer({ description: 'Attempts that ended with their worker.' }),
  parentId: Nullable(Type.String()),
  pendingChildren: count,
  requestId: Nullable(Type.String()),
  enqueuedAt: moment,
  runAt: moment,
  startedAt: Nullable(moment),
  finishedAt: Nullable(moment),
  worker: Nullable(Type.String()),
  error: Nullable(Type.String({ description: 'Of the last failed attempt.' })),
  payload: Type.Unknown({ description: 'Without what is to be hidden.' }),
  result: Type.Unknown(),
  progress: Type.Unknown(),
}

/** A job as lists show it. */
export const JobLine = Type.Object(jobFields)

/** A job with what it said and what is below it. */
export const JobDetail = Type.Object({
  ...jobFields,
  timeout: Nullable(Type.Number({ description: 'Milliseconds that an attempt may take.' })),
  traceparent: Nullable(Type.String()),
  logs: Type.Array(Type.String(), { description: 'The newest 1,000 lines.' }),
  children: Type.Array(JobLine, { description: 'Those that have ended.' }),
})

/** A page of jobs. */
export const JobList = Type.Object({
  data: Type.Array(JobLine),
  page: Type.Object({
    next: Nullable(Type.String({ description: 'Cursor of the next page.' })),
    limit: Type.Integer(),
  }),
})

/** Which jobs, in a body. */
export const selection = {
  kind: Type.Optional(Name),
  key: Type.Optional(Text(255)),
  tag: Type.Optional(Text(255)),
}

/** What became of a job that was to be stored. */
export const StoredJob = Type.Object({ id: Type.String(), outcome: OneOf(['stored', 'duplicate', 'replaced']) })

/** `critical` to `low`, or 0 to 255. */
export const PriorityOf = Type.Union([
  OneOf(['critical', 'high', 'normal', 'low']),
  Type.Integer({ minimum: 0, maximum: 255 }),
])

/** The last moment of a JavaScript date. */
const LAST_MOMENT = 8_640_000_000_000_000

/** A moment in a request. */
export const Moment = Type.Integer({
  minimum: 0,
  maximum: LAST_MOMENT,
  description: 'Milliseconds since the Unix epoch.',
})

/** A job for a list: JSON has no undefined. */
export function jobLine({ timeout: _, traceparent: __, ...view }: JobView) {
  return {
    ...view,
    key: view.key ?? null,
    parentId: view.parentId ?? null,
    requestId: view.requestId ?? null,
    startedAt: view.startedAt ?? null,
    finishedAt: view.finishedAt ?? null,
    worker: view.worker ?? null,
    error: view.error ?? null,
    payload: view.payload ?? null,
    result: view.result ?? null,
    progress: view.progress ?? null,
  }
}

/** A schedule and its next moments. */
export const ScheduleState = Type.Object({
  name: Type.String(),
  rule: Type.Union([
    Type.Object({ type: Type.Literal('cron'), cron: Type.String(), timeZone: Type.String() }),
    Type.Object({ type: Type.Literal('every'), ms: Type.Number(), from: Type.Number() }),
    Type.Object({ type: Type.Literal('once'), at: moment }),
  ]),
  missed: Type.Unknown({ description: "What happens to missed moments: 'skip', 'once' or { all: n }." }),
  kind: Type.String(),
  queue: Type.String(),
  paused: Type.Boolean(),
  nextAt: Nullable(moment),
  lastAt: Nullable(moment),
  next: Type.Array(moment, { description: 'The next moments that the rule means.' }),
})

/** A schedule as it is shown. */
export function scheduleState(schedule: Schedule, next: number[]) {
  return { ...schedule, nextAt: schedule.nextAt ?? null, lastAt: schedule.lastAt ?? null, next }
}

import { hasCode, TailwaterError, toError } from '@tailwater/core'
import type { Redis } from '@tailwater/redis'
import type { Jobs } from './jobs.ts'
import type { JobRequest } from './request.ts'
import type { ScheduleDefinition } from './schedule/definition.ts'

/** A job as BullMQ keeps it, as far as it can be taken over. */
export interface BullMqJob {
  id: string
  name: string
  data: unknown
  state: 'waiting' | 'paused' | 'prioritized' | 'delayed'
  /** 0 for none, which BullMQ serves first; then 1 before 2. */
  priority: number
  attempts: number | undefined
  /** When it is due, in milliseconds since the Unix epoch; of delayed ones. */
  runAt: number | undefined
}

/** What is to be imported. */
export interface BullMqImport {
  /** The server of BullMQ's keys. It is only read. */
  redis: Redis
  /** Name of BullMQ's queue. */
  queue: string
  /** Prefix of BullMQ's keys. @default 'bull' */
  prefix?: string
  /** Where the jobs go. Their kinds must be defined. */
  jobs: Jobs
  /** What becomes of a job; nothing to leave it out. @default the kind of its name in lower-case words joined by hyphens, with its data, priority, attempts and time */
  translate?: (job: BullMqJob) => JobRequest | undefined
  /** Reads and translates, and stores nothing. @default false */
  dryRun?: boolean
}

/** What came of an import. */
export interface BullMqReport {
  /** Jobs stored, or with `dryRun` to be stored. */
  imported: number
  /** Jobs that an import before had stored. */
  known: number
  /** Names of the schedules that were put. */
  schedules: string[]
  /** What was left out, and why. */
  skipped: { id: string; reason: string }[]
  /** Jobs that BullMQ's workers have not given back; import again when they have ended. */
  active: number
}

/** Jobs read and stored together. */
const LOT = 500
/** A second import knows the jobs of a first one for so long. */
const REMEMBERED = '30d'

/**
 * Takes waiting, delayed and repeatable jobs over from a queue of BullMQ (5 and 6).
 *
 * Stop BullMQ's workers and enqueuers first. Nothing of theirs is changed, so both the import and going back are possible until their keys are deleted; a
 * second import within 30 days stores no job again.
 *
 * @throws E_REDIS_… when the server cannot be reached
 * @example
 * const report = await importBullMq({ redis, queue: 'mail', jobs })
 */
export async function importBullMq(given: BullMqImport): Promise<BullMqReport> {
  const { redis, queue, prefix = 'bull', jobs, translate = requestOf, dryRun = false } = given
  const key = (...parts: string[]) => [prefix, queue, ...parts].join(':')
  const report: BullMqReport = { imported: 0, known: 0, schedules: [], skipped: [], active: 0 }

  async function store(job: BullMqJob): Promise<void> {
    try {
      const request = translate(job)
      if (!request) return skip(job.id, 'translate left it out')
      if (dryRun) {
        report.imported++
        return
      }
      const unique = { by: `bullmq:${queue}:${job.id}`, for: REMEMBERED } as const
      const { outcome } = await jobs.enqueue({ ...request, options: { unique, ...request.options } })
      if (outcome === 'duplicate') report.known++
      else report.imported++
    } catch (error) {
      skip(job.id, reasonOf(error))
    }
  }

  async function put(id: string, fields: Map<string, string>): Promise<void> {
    try {
      const definition = scheduleOf(id, fields, translate)
      const name = `bullmq-${queue}-${id}`
      if (!dryRun) await jobs.schedule(name, definition)
      report.schedules.push(name)
    } catch (error) {
      skip(id, reasonOf(error))
    }
  }

  const skip = (id: string, reason: string) => void report.skipped.push({ id, reason })
  const source = bullMqSource(redis, key)
  for (const state of STATES)
    for await (const lot of source.jobs(state)) {
      const own = lot.filter(({ fields }) => !fields.has('rjk'))
      await Promise.all(own.map(({ id, fields }) => store(jobOf(id, state, fields))))
    }
  for (const { id, fields } of await source.schedulers()) await put(id, fields)
  for (const id of await redis.command<string[]>('ZRANGE', key('waiting-children'), 0, -1))
    skip(id, 'it waits for children')
  report.active = await redis.command<number>('LLEN', key('active'))
  return report
}

const STATES: readonly BullMqJob['state'][] = ['waiting', 'paused', 'prioritized', 'delayed']
const LISTS = { waiting: 'wait', paused: 'paused', prioritized: 'prioritized', delayed: 'delayed' } as const

interface StoredJob {
  id: string
  fields: Map<string, string>
}

/** BullMQ's keys. */
function bullMqSource(redis: Redis, key: (...parts: string[]) => string) {
  async function hashes(ids: readonly string[], keyOf: (id: string) => string): Promise<StoredJob[]> {
    const replies = await redis.batch(ids.map((id) => ({ command: 'HGETALL', args: [keyOf(id)] })))
    return replies.flatMap((reply, at) => {
      if (reply.status === 'rejected') throw reply.reason
      const flat = reply.value as string[]
      const fields = new Map(
        flat.flatMap((name, field) => (field % 2 === 0 ? [[name, flat[field + 1]!] as const] : [])),
      )
      return fields.size > 0 ? [{ id: ids[at]!, fields }] : []
    })
  }

  return {
    /** Jobs of a state in the order in which BullMQ would begin them, some at a time. */
    async *jobs(state: BullMqJob['state']): AsyncGenerator<StoredJob[]> {
      const isList = state === 'waiting' || state === 'paused'
      for (let from = 0; ; from += LOT) {
        // Lists are served from their end.
        const ids = isList
          ? (await redis.command<string[]>('LRANGE', key(LISTS[state]), -(from + LOT), -(from + 1))).reverse()
          : await redis.command<string[]>('ZRANGE', key(LISTS[state]), from, from + LOT - 1)
        if (ids.length === 0) return
        // Markers that wake workers have no job.
        yield hashes(ids, (id) => key(id))
      }
    },
    async schedulers(): Promise<StoredJob[]> {
      const ids = await redis.command<string[]>('ZRANGE', key('repeat'), 0, -1)
      const found = await hashes(ids, (id) => key('repeat', id))
      const known = new Set(found.map(({ id }) => id))
      return [...found, ...ids.filter((id) => !known.has(id)).map((id) => ({ id, fields: new Map<string, string>() }))]
    },
  }
}

function jobOf(id: string, state: BullMqJob['state'], fields: Map<string, string>): BullMqJob {
  const options = JSON.parse(fields.get('opts') ?? '{}') as { attempts?: number }
  const due = Number(fields.get('timestamp')) + Number(fields.get('delay') ?? 0)
  return {
    id,
    name: fields.get('name') ?? '',
    data: JSON.parse(fields.get('data') ?? '{}'),
    state,
    priority: Number(fields.get('priority') ?? 0),
    attempts: options.attempts,
    runAt: state === 'delayed' ? due : undefined,
  }
}

/** Our priority: BullMQ's jobs without one stand before all others, so they are `normal`, and the others are below. */
const priorityOf = (priority: number) => (priority === 0 ? 128 : Math.min(255, 128 + priority))

function requestOf({ name, data, priority, attempts, runAt }: BullMqJob): JobRequest {
  return {
    kind: kindOf(name),
    payload: data,
    options: {
      priority: priorityOf(priority),
      ...(attempts && { attempts }),
      ...(runAt !== undefined && { runAt }),
    },
  }
}

/** `sendWelcomeMail` becomes `send-welcome-mail`. */
function kindOf(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

function scheduleOf(
  id: string,
  fields: Map<string, string>,
  translate: (job: BullMqJob) => JobRequest | undefined,
): ScheduleDefinition {
  const name = fields.get('name')
  if (!name) throw leftOut('its definition is of a version before 5.16: define the schedule anew')
  for (const limit of ['limit', 'startDate', 'endDate'])
    if (fields.has(limit)) throw leftOut(`it has ${limit}, which schedules here do not have`)
  const options = JSON.parse(fields.get('opts') ?? '{}') as { attempts?: number; priority?: number }
  const request = translate({
    id,
    name,
    data: JSON.parse(fields.get('data') ?? '{}'),
    state: 'waiting',
    priority: options.priority ?? 0,
    attempts: options.attempts,
    runAt: undefined,
  })
  if (!request) throw leftOut('translate left it out')
  const { delay, runAt, ...lasting } = request.options ?? {}
  const job = { kind: request.kind, payload: request.payload, options: lasting }
  const [cron, every] = [fields.get('pattern'), fields.get('every')]
  if (cron) return { ...job, cron, timeZone: fields.get('tz') ?? 'UTC' }
  if (every) return { ...job, every: Number(every), from: Number(fields.get('offset') ?? 0) }
  throw leftOut('it has neither a pattern nor an interval')
}

/** A reason that is told in the report. */
const leftOut = (reason: string) => new TailwaterError('E_JOB_SCHEDULE', reason)

/** What is wrong with one job does not end the import; a server that is away does. */
function reasonOf(error: unknown): string {
  if (error instanceof TailwaterError && (error.code.startsWith('E_REDIS_') || hasCode(error, 'E_JOBS_MEMORY')))
    throw error
  return toError(error).message
}

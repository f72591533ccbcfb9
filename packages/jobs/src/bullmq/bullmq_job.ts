import { TailwaterError } from '@tailwater/core'
import type { JobRequest } from '../request.ts'
import type { ScheduleDefinition } from '../schedule/definition.ts'

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

/** What becomes of a job; nothing to leave it out. */
export type TranslateJob = (job: BullMqJob) => JobRequest | undefined

/** Reads the fields of a job. @throws SyntaxError when its data is no JSON */
export function jobOf(id: string, state: BullMqJob['state'], fields: ReadonlyMap<string, string>): BullMqJob {
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

/** Whether a scheduler has made it: what it has made it will make again. Bull says so in its options alone. */
export function isOfScheduler(fields: ReadonlyMap<string, string>): boolean {
  return fields.has('rjk') || /"repeat":\{/.test(fields.get('opts') ?? '')
}

/** Our priority: BullMQ's jobs without one stand before all others, so they are `normal`, and the others are below. */
const priorityOf = (priority: number) => (priority === 0 ? 128 : Math.min(255, 128 + priority))

/** The usual translation. @param kinds by BullMQ's names; a name that is not among them becomes lower-case words */
export function usualTranslation(kinds: Readonly<Record<string, string>>): TranslateJob {
  return ({ name, data, priority, attempts, runAt }) => ({
    kind: Object.hasOwn(kinds, name) ? kinds[name]! : wordsOf(name),
    payload: data,
    options: {
      priority: priorityOf(priority),
      ...(attempts && { attempts }),
      ...(runAt !== undefined && { runAt }),
    },
  })
}

/** `sendWelcomeMail` becomes `send-welcome-mail`. */
export function wordsOf(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

/** The schedule that a job scheduler becomes. @throws E_JOB_SCHEDULE with the reason why it cannot be taken over */
export function scheduleOf(
  id: string,
  fields: ReadonlyMap<string, string>,
  translate: TranslateJob,
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
export const leftOut = (reason: string) => new TailwaterError('E_JOB_SCHEDULE', reason)

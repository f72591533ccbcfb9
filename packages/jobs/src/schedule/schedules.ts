import { newId, resolveOptions } from '@tailwater/core'
import type { Stored } from '../backend/enqueue_port.ts'
import type { SchedulePort, StoredSchedule } from '../backend/schedule_port.ts'
import type { NewJob } from '../job.ts'
import { NAME, queueName } from '../kind.ts'
import type { Codec } from '../payload/codec.ts'
import type { JobRequest } from '../request.ts'
import {
  type MissedPolicy,
  parseDefinition,
  readDefinition,
  type ScheduleDefinition,
  type StoredDefinition,
  writeDefinition,
} from './definition.ts'
import { type Rule, ruleOf, type StoredRule, wrong } from './rule.ts'

/** A schedule as it is shown. Moments in milliseconds since the Unix epoch. */
export interface Schedule {
  name: string
  rule: StoredRule
  missed: MissedPolicy
  kind: string
  queue: string
  paused: boolean
  nextAt: number | undefined
  /** The planned moment that was fired or left out last. */
  lastAt: number | undefined
}

/** What is done with schedules. */
export interface Schedules {
  /**
   * Puts a schedule at once, of any kind: that of one which this process does not define is stored as it is, for the process that knows it. It stays until it is
   * removed, whatever this process does; `jobs.schedule` is for those that the application itself defines.
   *
   * @param options.queue where its jobs go @default the queue of a known kind, else 'default'
   * @throws E_JOB_KIND, E_JOB_SCHEDULE, E_OPTIONS, and what enqueueing throws
   */
  add(name: string, definition: ScheduleDefinition, options?: { queue?: string }): Promise<void>
  list(): Promise<Schedule[]>
  get(name: string): Promise<Schedule | undefined>
  /** The next moments. @param count at most 1,000 @throws E_JOB_SCHEDULE */
  preview(name: string, count: number): Promise<number[]>
  /** Fires nothing until it is resumed; false if there is no such schedule. */
  pause(name: string): Promise<boolean>
  /** Goes on with the next moment from now: what came meanwhile is not made up for. False if there is no such schedule. */
  resume(name: string): Promise<boolean>
  /** Enqueues its job now, paused or not, beside the planned moments; undefined if there is no such schedule. */
  run(name: string): Promise<Stored | undefined>
  /** False if there is no such schedule. A process that still defines it puts it again when it starts. */
  remove(name: string): Promise<boolean>
}

/** Moments that are previewed at most. */
const MAX_PREVIEW = 1_000

/** What is needed of the engine to put schedules. */
export interface SchedulesParts {
  port: SchedulePort
  /** @throws E_JOB_KIND_UNKNOWN */
  prepare(request: JobRequest): NewJob | Promise<NewJob>
  /** The same of any kind. */
  prepareAny(request: JobRequest, queue: string | undefined): NewJob | Promise<NewJob>
  /** Of a known kind. */
  codecOf(kind: string): Codec | undefined
  wake(): void
  store(job: NewJob): Promise<Stored>
}

/** Builds both: what a user does with schedules, and how definitions come into the store. */
export function createSchedules({ port, prepare, prepareAny, codecOf, wake, store }: SchedulesParts): Schedules & {
  /** Reads a definition whole, so that a mistake is found where it was made. @throws E_JOB_SCHEDULE, E_OPTIONS, and what enqueueing throws */
  read(name: string, definition: ScheduleDefinition): Promise<StoredDefinition>
  put(name: string, definition: StoredDefinition): Promise<void>
} {
  const find = async (name: string) => (await port.list()).find((schedule) => schedule.name === name)

  async function needed(name: string): Promise<StoredSchedule> {
    const found = await find(name)
    if (found) return found
    throw wrong(name, 'does not exist')
  }

  async function readWith(
    name: string,
    given: ScheduleDefinition,
    make: (request: JobRequest) => NewJob | Promise<NewJob>,
  ): Promise<StoredDefinition> {
    if (!NAME.test(name)) throw wrong(name, 'must be named by lower-case words joined by hyphens')
    const read = readDefinition(name, given)
    // Any moment will do to see whether there is one at all: a rule that has none is a mistake, but one whose only moment is past was right once.
    if (read.rule.type === 'cron' && ruleOf(read.rule).after(0) === undefined)
      throw wrong(name, `has the cron expression '${read.rule.cron}', which never fires`)
    const { kind, payload, options } = given
    const { id, ...job } = await make({ kind, payload, ...(options && { options }) })
    return { ...read, job }
  }

  async function put(name: string, definition: StoredDefinition): Promise<void> {
    const present = await find(name)
    const text = writeDefinition(definition)
    const isSame = present !== undefined && isEqual(present.definition, text, codecOf(definition.job.kind))
    const { now } = await port.due(1)
    await port.put({
      name,
      definition: isSame ? present.definition : text,
      nextAt: firstMoment(ruleOf(definition.rule), definition.rule, now),
    })
    wake()
  }

  return {
    read: (name, given) => readWith(name, given, prepare),
    put,
    async add(name, given, options = {}) {
      const { queue } = resolveOptions('jobs.schedules.add, options', options, { queue: queueName })
      await put(name, await readWith(name, given, (request) => prepareAny(request, queue)))
    },
    list: async () => (await port.list()).map(scheduleOf),
    async get(name) {
      const found = await find(name)
      return found && scheduleOf(found)
    },
    async preview(name, count) {
      const { definition } = await needed(name)
      const rule = ruleOf(parseDefinition(definition).rule)
      const moments: number[] = []
      let last: number | undefined = (await port.due(1)).now
      while (moments.length < Math.min(count, MAX_PREVIEW)) {
        last = rule.after(last)
        if (last === undefined) break
        moments.push(last)
      }
      return moments
    },
    pause: async (name) => NAME.test(name) && port.setPaused(name, true),
    async resume(name) {
      const found = await find(name)
      if (!found) return false
      const next = ruleOf(parseDefinition(found.definition).rule).after((await port.due(1)).now)
      const isThere = await port.setPaused(name, false, next)
      wake()
      return isThere
    },
    async run(name) {
      const found = await find(name)
      return found && store({ ...parseDefinition(found.definition).job, id: newId() })
    },
    remove: async (name) => NAME.test(name) && port.remove(name),
  }
}

/** A moment that was given as such is not missed by being put a little late. */
function firstMoment(rule: Rule, stored: StoredRule, now: number): number | undefined {
  return stored.type === 'once' ? stored.at : rule.after(now)
}

/** Whether a stored definition says the same: encryption makes another text of the same payload each time. */
function isEqual(stored: string, text: string, codec: Codec | undefined): boolean {
  if (stored === text || !codec) return stored === text
  try {
    return opened(stored, codec) === opened(text, codec)
  } catch {
    // Encrypted with a secret that is no longer there: it is to be written anew.
    return false
  }
}

function opened(definition: string, codec: Codec): string {
  const { job, ...rest } = parseDefinition(definition)
  return JSON.stringify({ ...rest, job: { ...job, payload: codec.readResult(job.payload) } })
}

function scheduleOf({ name, definition, nextAt, lastAt, paused }: StoredSchedule): Schedule {
  const { rule, missed, job } = parseDefinition(definition)
  return { name, rule, missed, kind: job.kind, queue: job.queue, paused, nextAt, lastAt }
}

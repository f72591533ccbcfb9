import { TailwaterError, toError } from '@tailwater/core'
import type { Redis } from '@tailwater/redis'
import { preparers } from '../enqueue/preparers.ts'
import type { Jobs } from '../jobs.ts'
import type { JobRequest } from '../request.ts'
import { readDefinition, type ScheduleDefinition } from '../schedule/definition.ts'
import {
  isOfScheduler,
  jobOf,
  leftOut,
  scheduleOf,
  type TranslateJob,
  usualTranslation,
  wordsOf,
} from './bullmq_job.ts'
import { openBullMq, STATES, type StoredHash } from './bullmq_source.ts'

/** What is to be imported. */
export interface BullMqImport {
  /** The server of BullMQ's keys. It is only read. */
  redis: Redis
  /** Name of BullMQ's queue. */
  queue: string
  /** Prefix of BullMQ's keys. @default 'bull' */
  prefix?: string
  /** Where the jobs go. Their kinds must be defined, unless there is a `to`. */
  jobs: Jobs
  /** The queue for all of them. Kinds that `jobs` does not define are then stored as they are, for the process that knows them. @default the queue of each kind */
  to?: string
  /** Kinds by BullMQ's names of jobs. @default the name in lower-case words joined by hyphens */
  kinds?: Readonly<Record<string, string>>
  /** What becomes of a job; nothing to leave it out. @default the kind of its name, with its data, priority, attempts and time */
  translate?: TranslateJob
  /** Reads, translates and checks, and stores nothing. @default false */
  dryRun?: boolean
  /** Told after each few hundred jobs. */
  onProgress?: (progress: BullMqProgress) => void
}

/** How far an import is. */
export interface BullMqProgress {
  /** Entries of BullMQ's lists that were read. */
  read: number
  /** Entries that there were at the beginning. */
  total: number
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

/** A second import knows the jobs of a first one for so long. */
const REMEMBERED = '30d'

/**
 * Takes waiting, delayed and repeatable jobs over from a queue of BullMQ (5 and 6), and those of Bull 4 that do not repeat.
 *
 * Stop BullMQ's workers and enqueuers first. Nothing of theirs is changed, so both the import and going back are possible until their keys are deleted; a
 * second import within 30 days stores no job again.
 *
 * @throws E_REDIS_… when the server cannot be reached
 * @example
 * const report = await importBullMq({ redis, queue: 'mail', jobs })
 */
export async function importBullMq(given: BullMqImport): Promise<BullMqReport> {
  const { redis, queue, prefix = 'bull', onProgress } = given
  const source = openBullMq(redis, queue, prefix)
  const importing = new Import(given)
  const total = await source.count()
  let read = 0
  for (const state of STATES)
    for await (const lot of source.jobs(state)) {
      const own = lot.jobs.filter(({ fields }) => !isOfScheduler(fields))
      await Promise.all(own.map((stored) => importing.store(stored, state)))
      read += lot.read
      onProgress?.({ read, total: Math.max(read, total) })
    }
  for (const stored of await source.schedulers()) await importing.put(stored)
  for (const id of await source.parents()) importing.skip(id, 'it waits for children')
  importing.report.active = await source.active()
  return importing.report
}

/** One import under way. */
class Import {
  readonly report: BullMqReport = { imported: 0, known: 0, schedules: [], skipped: [], active: 0 }
  readonly #given: BullMqImport
  readonly #translate: TranslateJob

  constructor(given: BullMqImport) {
    this.#given = given
    this.#translate = given.translate ?? usualTranslation(given.kinds ?? {})
  }

  skip(id: string, reason: string): void {
    this.report.skipped.push({ id, reason })
  }

  async store({ id, fields }: StoredHash, state: (typeof STATES)[number]): Promise<void> {
    const { jobs, queue, to, dryRun } = this.#given
    try {
      const request = this.#translate(jobOf(id, state, fields))
      if (!request) return this.skip(id, 'translate left it out')
      const unique = { by: `bullmq:${queue}:${id}`, for: REMEMBERED } as const
      const whole = { ...request, options: { unique, ...request.options } }
      if (dryRun) {
        await this.#check(whole)
        this.report.imported++
        return
      }
      const { outcome } = await (to === undefined ? jobs.enqueue(whole) : jobs.operate.add(whole, { queue: to }))
      if (outcome === 'duplicate') this.report.known++
      else this.report.imported++
    } catch (error) {
      this.skip(id, reasonOf(error))
    }
  }

  async put({ id, fields }: StoredHash): Promise<void> {
    const { jobs, queue, to, dryRun } = this.#given
    try {
      const definition = scheduleOf(id, fields, this.#translate)
      const name = `bullmq-${wordsOf(queue)}-${wordsOf(id)}`
      if (this.report.schedules.includes(name)) throw leftOut(`another one became '${name}'`)
      await this.#check(requestOf(definition))
      if (dryRun) readDefinition(name, definition)
      else await jobs.schedules.add(name, definition, to === undefined ? {} : { queue: to })
      this.report.schedules.push(name)
    } catch (error) {
      this.skip(id, reasonOf(error))
    }
  }

  async #check(request: JobRequest): Promise<void> {
    await preparers.get(this.#given.jobs)?.(request, this.#given.to)
  }
}

const requestOf = ({ kind, payload, options }: ScheduleDefinition): JobRequest => ({
  kind,
  payload,
  ...(options && { options }),
})

/** Codes of a server that is away or full. */
const OF_A_SERVER = /^E_(REDIS_|DATABASE_|QUERY|JOBS_MEMORY)/

/** What is wrong with one job does not end the import; a server that is away does. */
function reasonOf(error: unknown): string {
  if (error instanceof TailwaterError && OF_A_SERVER.test(error.code)) throw error
  return toError(error).message
}

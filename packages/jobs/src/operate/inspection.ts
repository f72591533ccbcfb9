import { number, optional, resolveOptions, text } from '@tailwater/core'
import type { InspectPort, JobFilter, QueueStats } from '../backend/inspect_port.ts'
import type { Job } from '../job.ts'
import { checkedQueue } from '../kind.ts'
import { readFilter } from './job_filter.ts'
import type { JobView } from './job_view.ts'

/** Jobs of one page at most. */
const MAX_PAGE = 1_000
/** Jobs of a page of an export. */
const EXPORT_PAGE = 500

/** What can be seen of jobs. Payloads, results and progress are redacted. */
export interface Inspection {
  get(id: string): Promise<JobView | undefined>
  /** Those of a job's children that have ended. */
  children(id: string): Promise<JobView[]>
  logs(id: string): Promise<string[]>
  /** Newest first. `next` is where the following page begins; undefined at the end. @param page.limit from 1 to 1,000 @default 50 @throws E_OPTIONS */
  list(
    filter?: JobFilter,
    page?: { cursor?: string; limit?: number },
  ): Promise<{ jobs: JobView[]; next: string | undefined }>
  /** Names of the queues that hold jobs or were configured, sorted. */
  queues(): Promise<string[]>
  /** @throws E_OPTIONS for what can be no queue's name */
  stats(queue: string): Promise<QueueStats>
  /**
   * Every job that a filter means, newest first, as lines of NDJSON, the last one included.
   *
   * Jobs that are enqueued meanwhile are not among them. `raw` gives payloads as they are stored, to be read back by a program; otherwise they are redacted.
   */
  export(filter?: JobFilter, options?: { raw?: boolean }): AsyncIterable<string>
}

const pageFields = { cursor: optional(text()), limit: number({ default: 50 }) }

/** Builds it on what the store shows. */
export function createInspection(port: InspectPort, view: (job: Job) => JobView): Inspection {
  async function* pages(filter: JobFilter): AsyncIterable<Job> {
    let cursor: string | undefined
    do {
      const page = await port.list(filter, { limit: EXPORT_PAGE, ...(cursor !== undefined && { cursor }) })
      yield* page.jobs
      cursor = page.next
    } while (cursor !== undefined)
  }

  return {
    async get(id) {
      const job = await port.get(id)
      return job && view(job)
    },
    children: async (id) => (await port.children(id)).map(view),
    logs: (id) => port.logs(id),
    async list(filter = {}, given = {}) {
      const { cursor, limit } = resolveOptions('jobs.inspect.list, page', given, pageFields)
      const page = {
        limit: Math.floor(Math.min(Math.max(1, limit), MAX_PAGE)),
        ...(cursor !== undefined && { cursor }),
      }
      const { jobs, next } = await port.list(readFilter('jobs.inspect.list', filter), page)
      return { jobs: jobs.map(view), next }
    },
    queues: () => port.queues(),
    stats: async (queue) => port.stats(checkedQueue('jobs.inspect.stats', queue)),
    async *export(filter = {}, { raw = false } = {}) {
      for await (const job of pages(readFilter('jobs.inspect.export', filter)))
        yield `${JSON.stringify(raw ? job : view(job))}\n`
    },
  }
}

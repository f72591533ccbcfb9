import { finalStates, type Job, type JobsBackend } from '@tailwater/jobs'
import type { Produced } from './producer.ts'
import type { Work } from './work.ts'
import type { WorkJournal } from './work_journal.ts'

/** What became of all jobs. */
export interface WorkAudit {
  confirmed: number
  /** Confirmed, and never finished by a handler. */
  lost: string[]
  /** Confirmed and finished, and the store does not know of it. */
  forgotten: string[]
  /** In no final state. */
  unfinished: string[]
  completed: number
  dead: number
  /** Dead though they would have done, or done though they are hopeless. */
  astray: string[]
  /** Jobs that a handler finished more than once: its end was not told in time. */
  repeated: number
  /** Those of them that ended more often than their workers died or were taken for dead, and one. */
  unexplained: string[]
  /** Attempts that two handlers began. */
  doubled: string[]
  /** Jobs that nobody confirmed and that were stored all the same. */
  unconfirmed: number
  /** Attempts that ended with their worker. */
  crashes: number
}

/** All jobs of a store. */
export async function allJobs({ inspect }: JobsBackend): Promise<Job[]> {
  const all: Job[] = []
  let cursor: string | undefined
  do {
    const page = await inspect.list({}, { limit: 1_000, ...(cursor !== undefined && { cursor }) })
    all.push(...page.jobs)
    cursor = page.next
  } while (cursor !== undefined)
  return all
}

/** Compares what was promised, what handlers did, and what the store says. */
export async function auditWork(
  backend: JobsBackend,
  { confirmed }: Pick<Produced, 'confirmed'>,
  journal: WorkJournal,
): Promise<WorkAudit> {
  const jobs = await allJobs(backend)
  const stored = new Map(jobs.map((job) => [job.id, job]))
  const ends = countBy(journal.lines.filter(({ what }) => what === 'end').map(({ id }) => id))
  const begins = countBy(
    journal.lines.filter(({ what }) => what === 'begin').map(({ id, attempt }) => `${id} ${attempt}`),
  )
  const isFinal = (job: Job) => finalStates.includes(job.state)
  return {
    confirmed: confirmed.size,
    lost: [...confirmed.keys()].filter((id) => !ends.has(id)),
    forgotten: [...confirmed.keys()].filter((id) => ends.has(id) && !stored.has(id)),
    unfinished: jobs.filter((job) => !isFinal(job)).map(({ id, state }) => `${id} ${state}`),
    completed: jobs.filter(({ state }) => state === 'completed').length,
    dead: jobs.filter(({ state }) => state === 'dead').length,
    astray: jobs.filter((job) => isFinal(job) && job.state !== dueState(job)).map(({ id, error }) => `${id} ${error}`),
    repeated: [...ends.values()].filter((count) => count > 1).length,
    unexplained: [...ends].filter(([id, count]) => count > 1 + (stored.get(id)?.crashes ?? 0)).map(([id]) => id),
    doubled: [...begins].filter(([, count]) => count > 1).map(([attempt]) => attempt),
    unconfirmed: jobs.filter(({ id }) => !confirmed.has(id)).length,
    crashes: jobs.reduce((sum, job) => sum + job.crashes, 0),
  }
}

function dueState({ payload }: Job): Job['state'] {
  return (JSON.parse(payload) as Work).fate === 'well' ? 'completed' : 'dead'
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

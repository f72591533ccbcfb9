import assert from 'node:assert/strict'
import { newId } from '@tailwater/core'
import type { Stored } from '../../backend/enqueue_port.ts'
import type { QueueLimits, Retention } from '../../backend/maintain_port.ts'
import type { Turn, TurnReply } from '../../backend/work_port.ts'
import type { JobsBackend } from '../../backend.ts'
import type { ClaimedJob, Job, JobEnd, JobState, NewJob } from '../../job.ts'
import type { JobsBackendUnderTest } from '../backend_under_test.ts'

/** Milliseconds of the lease of the clauses' workers. */
export const LEASE = 30_000

/** Retention that deletes nothing within a clause. */
export const keepAll: Retention = {
  completed: { age: 1e9 },
  cancelled: { age: 1e9 },
  dead: { age: 1e9 },
}

/** One sentence of the contract. */
export type Clause = (title: string, body: (subject: Subject) => Promise<void>) => void

/** How an attempt ended, without whose it is. */
export type Ending = JobEnd extends infer End ? (End extends JobEnd ? Omit<End, 'id' | 'attempt'> : never) : never

/** A job of which a clause says only what matters to it. */
export function newJob(said: Partial<NewJob> = {}): NewJob {
  return { id: newId(), queue: 'mail', kind: 'send', payload: '{}', priority: 128, maxAttempts: 5, ...said }
}

/** A backend under test, with the few words in which clauses speak to it. */
export class Subject {
  readonly backend: JobsBackend
  readonly advance: (ms: number) => Promise<void>

  constructor({ backend, advance }: JobsBackendUnderTest) {
    this.backend = backend
    this.advance = advance
  }

  /** Stores jobs in one call and gives their ids. */
  async add(...said: Partial<NewJob>[]): Promise<string[]> {
    const stored = await this.backend.jobs.add(said.map(newJob))
    return stored.map(({ id }) => id)
  }

  /** Stores one job and gives what became of it. */
  async addOne(said: Partial<NewJob>): Promise<Stored> {
    const stored = await this.backend.jobs.add([newJob(said)])
    assert.equal(stored.length, 1)
    return stored[0]!
  }

  /** Stores one job and gives its id. */
  async id(said: Partial<NewJob> = {}): Promise<string> {
    return (await this.addOne(said)).id
  }

  turn(worker: string, said: Partial<Turn> = {}): Promise<TurnReply> {
    return this.backend.work.turn({ worker, lease: LEASE, ends: [], wants: [], ...said })
  }

  async claim(worker: string, count = 1, queue = 'mail'): Promise<ClaimedJob[]> {
    return (await this.turn(worker, { wants: [{ queue, count }] })).claimed
  }

  /** Claims one job, which must be there. */
  async claimOne(worker: string, queue = 'mail'): Promise<ClaimedJob> {
    const [job] = await this.claim(worker, 1, queue)
    assert.ok(job, `${worker} finds nothing to claim in ${queue}`)
    return job
  }

  end(worker: string, job: { id: string; attempt: number }, ending: Ending): Promise<TurnReply> {
    return this.turn(worker, { ends: [{ id: job.id, attempt: job.attempt, ...ending }] })
  }

  /** Ends an attempt, which must be accepted. */
  async accept(worker: string, job: { id: string; attempt: number }, ending: Ending): Promise<void> {
    assert.deepEqual((await this.end(worker, job, ending)).refused, [])
  }

  complete(worker: string, job: { id: string; attempt: number }, result?: string): Promise<void> {
    return this.accept(worker, job, { outcome: 'completed', result })
  }

  /** Claims and completes everything that can be claimed now; the ids in their order. */
  async workOff(worker: string, queue = 'mail'): Promise<string[]> {
    const done: string[] = []
    for (let [job] = await this.claim(worker, 1, queue); job; [job] = await this.claim(worker, 1, queue)) {
      done.push(job.id)
      await this.complete(worker, job)
    }
    return done
  }

  async job(id: string): Promise<Job> {
    const job = await this.backend.inspect.get(id)
    assert.ok(job, `job ${id} is not there`)
    return job
  }

  async state(id: string): Promise<JobState> {
    return (await this.job(id)).state
  }

  async states(ids: readonly string[]): Promise<JobState[]> {
    return Promise.all(ids.map((id) => this.state(id)))
  }

  limit(limits: QueueLimits, queue = 'mail'): Promise<void> {
    return this.backend.maintain.configure(queue, limits, keepAll)
  }

  /** The store's present moment. */
  async now(): Promise<number> {
    return (await this.backend.schedules.due(1)).now
  }
}

/** Counts with the states that are not named at zero. */
export const countsOf = (some: Partial<Record<JobState, number>>): Record<JobState, number> => ({
  pending: 0,
  scheduled: 0,
  available: 0,
  running: 0,
  retryable: 0,
  completed: 0,
  cancelled: 0,
  dead: 0,
  ...some,
})

/** The ids of jobs, in their order. */
export const idsOf = (jobs: readonly { id: string }[]) => jobs.map(({ id }) => id)

/** Ids in an order that does not matter. */
export const sorted = (ids: readonly string[]) => [...ids].sort()

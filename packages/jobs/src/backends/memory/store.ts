import type { Clock } from '@tailwater/core'
import type { StoredSchedule } from '../../backend/schedule_port.ts'
import type { JobState } from '../../job.ts'
import { emptyQueue, type MemoryQueue } from './queue.ts'
import { isFinal, type JobRecord } from './record.ts'

/** Who runs jobs. */
export interface MemoryWorker {
  /** The worker is taken for dead after it. */
  leaseUntil: number
  running: Set<JobRecord>
}

/** Everything that is kept, and the one place where a job changes its state: there counts and lines are kept true. */
export class MemoryStore {
  readonly jobs = new Map<string, JobRecord>()
  readonly queues = new Map<string, MemoryQueue>()
  readonly workers = new Map<string, MemoryWorker>()
  readonly schedules = new Map<string, StoredSchedule>()
  /** The standing job of each unique key. */
  readonly uniques = new Map<string, { id: string; until: number | undefined }>()
  readonly listeners = new Set<(queue: string) => void>()
  readonly #clock: Clock
  #arrivals = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  now(): number {
    return this.#clock.now()
  }

  queue(name: string): MemoryQueue {
    let queue = this.queues.get(name)
    if (!queue) {
      queue = emptyQueue(name)
      this.queues.set(name, queue)
    }
    return queue
  }

  /** Takes a new job in. */
  admit(record: JobRecord): void {
    this.jobs.set(record.id, record)
    count(this.queue(record.queue), record)
  }

  /** Forgets a job. */
  drop(record: JobRecord): void {
    this.leaveLines(record)
    this.freeUnique(record)
    uncount(this.queue(record.queue), record)
    this.jobs.delete(record.id)
  }

  /** Changes the state alone; lines are the affair of whoever calls. */
  setState(record: JobRecord, state: JobState): void {
    const queue = this.queue(record.queue)
    uncount(queue, record)
    record.state = state
    count(queue, record)
  }

  /** Moves a job, with the state that it has, into another queue; there it stands in no line. */
  move(record: JobRecord, name: string): void {
    this.leaveLines(record)
    uncount(this.queue(record.queue), record)
    record.queue = name
    count(this.queue(name), record)
  }

  /**
   * Available at once, or later if its time has not come.
   *
   * @param waiting its state until then
   */
  plan(record: JobRecord, waiting: 'scheduled' | 'retryable'): void {
    if (record.runAt <= this.now()) this.makeAvailable(record, record.runAt)
    else this.#makeWait(record, waiting)
  }

  #makeWait(record: JobRecord, state: 'scheduled' | 'retryable'): void {
    this.leaveLines(record)
    this.setState(record, state)
    record.place = { priority: 0, turn: 0, since: record.runAt, arrival: this.#arrivals++, record }
    this.queue(record.queue).later.add(record.place)
  }

  /** @param since when it became available */
  makeAvailable(record: JobRecord, since: number, { first = false } = {}): void {
    this.leaveLines(record)
    this.setState(record, 'available')
    const queue = this.queue(record.queue)
    record.availableSince = since
    const arrival = this.#arrivals++
    const turn = first ? -1 : queue.limits.fair ? queue.turns.of(record) : 0
    record.place = { priority: record.priority, turn, since: first ? -arrival : since, arrival, record }
    queue.available.add(record.place)
    for (const wake of this.listeners) queueMicrotask(() => wake(record.queue))
  }

  leaveLines(record: JobRecord): void {
    const { available, later } = this.queue(record.queue)
    if (record.state === 'available') available.leave(record)
    else later.leave(record)
  }

  /** The job that stands for a unique key. */
  standing(key: string): { id: string; record: JobRecord | undefined } | undefined {
    const unique = this.uniques.get(key)
    if (!unique || (unique.until !== undefined && unique.until <= this.now())) return undefined
    return { id: unique.id, record: this.jobs.get(unique.id) }
  }

  /** Gives the unique key of a job free, if it still holds it. */
  freeUnique({ id, unique }: JobRecord): void {
    if (unique && this.uniques.get(unique.key)?.id === id) this.uniques.delete(unique.key)
  }
}

function count({ counts, ended }: MemoryQueue, record: JobRecord): void {
  const { state } = record
  counts[state]++
  if (isFinal(state)) ended[state].add(record)
}

function uncount({ counts, ended }: MemoryQueue, record: JobRecord): void {
  const { state } = record
  counts[state]--
  if (isFinal(state)) ended[state].delete(record)
}

import type { Outbox, SqlExecutor } from '@tailwater/postgres'
import type { Stored } from '../backend/enqueue_port.ts'
import { jobsError } from '../errors.ts'
import type { NewJob } from '../job.ts'

/** Of an outbox, what jobs need: `createOutbox` of @tailwater/postgres fits. */
export type JobsOutbox = Pick<Outbox, 'appendAll' | 'consumer'>

/** Grows when rows are written that a process of the release before cannot read. */
const FORM = 1

/** What stands in a row. */
interface Row {
  form: number
  job: NewJob
}

/** Of a message of the outbox, what the relay needs. */
interface Message {
  readonly payload: unknown
  readonly appendedAt: number
}

/** What an outbox relay is made of. */
export interface OutboxRelayParts {
  outbox: JobsOutbox
  /** Of the store, the same in all processes: names the rows and their consumer. */
  store: string
  /** Stores jobs, in their order; told twice of one it stores it once. */
  add(jobs: readonly NewJob[]): Promise<unknown>
}

/** Jobs of a transaction of PostgreSQL for a store that cannot be part of it. */
export interface OutboxRelay {
  /** Writes jobs into the caller's transaction. */
  append(tx: SqlExecutor, jobs: readonly NewJob[]): Promise<Stored[]>
  /** Stores what is committed, as long as the outbox runs. Called again it does nothing. */
  follow(): Promise<void>
}

/**
 * Carries jobs from the transaction that decided them to another store.
 *
 * A row is written for each within the transaction, so a job exists if and only if that commits. A consumer of the outbox, served by one process at a time, stores them in
 * the order in which they were committed. When it dies between storing and noting that, or the store's reply is lost, the next one stores the same jobs
 * again, and their ids tell the store that it has them: what the store has deleted by then (a queue that keeps nothing of what completed) would run again, which a handler must bear anyway.
 *
 * It goes on while the engine is stopped, because a row that only this process could relay would wait for its start: it ends with the outbox.
 */
export function createOutboxRelay({ outbox, store, add }: OutboxRelayParts): OutboxRelay {
  const topic = `jobs-enqueue:${store}`
  let following: Promise<void> | undefined

  return {
    async append(tx, jobs) {
      const rows = jobs.map((job): { topic: string; payload: Row } => ({ topic, payload: { form: FORM, job } }))
      await outbox.appendAll(tx, rows)
      return jobs.map(({ id }) => ({ id, outcome: 'deferred' }))
    },
    follow() {
      following ??= outbox
        .consumer(topic, async (messages) => void (await add(messages.map(jobOf))), { topics: [topic] })
        .catch((error: unknown) => {
          following = undefined
          throw error
        })
      return following
    },
  }
}

/** A delay counts from the transaction, not from the moment at which the relay came round. */
function jobOf({ payload, appendedAt }: Message): NewJob {
  const { form, job } = payload as Row
  if (form !== FORM)
    throw jobsError('E_JOB_OUTBOX', `a job in the outbox has form ${form}, and this process reads ${FORM}`, { form })
  const { delay, ...rest } = job
  return delay === undefined ? job : { ...rest, runAt: Math.max(rest.runAt ?? 0, appendedAt + delay) }
}

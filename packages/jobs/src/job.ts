/**
 * Where a job stands.
 *
 * `pending` waits for its children; `scheduled` for its time; `available` for a worker; `running` is owned by one; `retryable` failed and waits for
 * its next attempt; `completed`, `cancelled` and `dead` are final, until somebody retries it.
 */
export type JobState =
  | 'pending'
  | 'scheduled'
  | 'available'
  | 'running'
  | 'retryable'
  | 'completed'
  | 'cancelled'
  | 'dead'

/** All states, in the order of a life. */
export const jobStates: readonly JobState[] = [
  'pending',
  'scheduled',
  'available',
  'running',
  'retryable',
  'completed',
  'cancelled',
  'dead',
]

/** States that nothing leaves by itself. */
export const finalStates: readonly JobState[] = ['completed', 'cancelled', 'dead']

/** Crashes that a job may cost its workers; with one more it is dead, and its error begins with E_JOB_POISON. */
export const MAX_CRASHES = 3

/** A job as it is stored. Payloads are texts: the engine serialises, encrypts and checks them. */
export interface NewJob {
  /** UUIDv7 of the enqueuer. */
  id: string
  queue: string
  kind: string
  /** JSON, or what the engine made of it by encryption. */
  payload: string
  /** 0 is first, 255 last. */
  priority: number
  /** Milliseconds from now, by the store's clock. */
  delay?: number
  /** A moment; with `delay`, the later one counts. One that is past means now. */
  runAt?: number
  /** Jobs of one key share limits and turns, and can be erased together. */
  key?: string
  /**
   * Nothing is stored while another job of the key stands: until it ends, or for `ttl` milliseconds from its enqueueing (whether it ends or not),
   * whichever was asked for. Keys are of the whole store. A job that ended does not get its key back when it is retried. Children have none.
   *
   * `replace` changes the standing job if it has not begun: it is `scheduled` or `available` and in no attempt. The time of its key begins anew, and it takes its
   * place in the order anew. A job with children replaces nothing.
   */
  unique?: { key: string; ttl?: number; replace?: boolean }
  maxAttempts: number
  /** Milliseconds an attempt may take; the worker sees to it. */
  timeout?: number
  tags?: readonly string[]
  requestId?: string
  traceparent?: string
  /** Stored with it; it stays `pending` until all of them have ended, and then becomes available (or scheduled, if its time has not come). */
  children?: readonly NewJob[]
  /** What a child that ends dead or cancelled means for its parent: `fail` makes the parent dead too, `ignore` counts it as ended. @default 'fail' */
  onChildFailure?: 'fail' | 'ignore'
}

/** A job as its worker gets it. */
export interface ClaimedJob {
  id: string
  queue: string
  kind: string
  payload: string
  priority: number
  key: string | undefined
  /** 1 for the first. */
  attempt: number
  maxAttempts: number
  timeout: number | undefined
  requestId: string | undefined
  traceparent: string | undefined
  /** Milliseconds it was available before it was claimed, by the store's clock. */
  waited: number
  /** Whether it has children whose results its handler may ask for. */
  hasChildren: boolean
}

/**
 * How an attempt ended. One that is told as `failed` or `snoozed` of a job that somebody asked to cancel makes it `cancelled`.
 * `attempt` is what it was claimed with: the fence against late words of an earlier owner who is the same worker. */
export type JobEnd = { id: string; attempt: number } & (
  | { outcome: 'completed'; result: string | undefined }
  /** Comes again after `delay` milliseconds if it has attempts left, else it is dead. */
  | { outcome: 'failed'; error: string; delay: number }
  /** Dead at once: a permanent error. */
  | { outcome: 'dead'; error: string }
  | { outcome: 'cancelled'; error: string }
  /** Back after `delay`, the attempt not counted. */
  | { outcome: 'snoozed'; delay: number }
)

/** All that is known of a job. */
export interface Job {
  id: string
  queue: string
  kind: string
  state: JobState
  payload: string
  priority: number
  key: string | undefined
  tags: readonly string[]
  attempt: number
  maxAttempts: number
  /** Attempts that ended with their worker. */
  crashes: number
  timeout: number | undefined
  requestId: string | undefined
  traceparent: string | undefined
  parentId: string | undefined
  /** Children that have not ended: one that is retried counts again. */
  pendingChildren: number
  enqueuedAt: number
  /** When it is or was due. */
  runAt: number
  /** Begin of the last attempt. */
  startedAt: number | undefined
  finishedAt: number | undefined
  /** Who runs it. */
  worker: string | undefined
  progress: string | undefined
  result: string | undefined
  /** Of the last failed attempt. */
  error: string | undefined
}

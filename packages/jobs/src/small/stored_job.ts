/** A job as its worker claims it. */
export interface ClaimedJob {
  id: string
  kind: string
  payload: unknown
  /** `dead` when it was claimed only to be buried: it killed its worker on its last attempt. */
  state: 'running' | 'dead'
  attempt: number
  maxAttempts: number
  requestId: string | null
  traceparent: string | null
  /** Milliseconds it was due before it was claimed, by the server's clock. */
  waitMs: number
}

/** How many jobs are in each unfinished state. */
export interface JobCounts {
  available: number
  running: number
  retryable: number
  dead: number
}
